/** Real bare repositories, as they lie behind a git server. */
import { execa } from 'execa';

/** Path to content; what begins with `#!` is executable. */
export type Files = Readonly<Record<string, string>>;

export type Commit = {
  readonly sha: string;
  readonly tree: string;
  readonly message: string;
  readonly author: string;
  readonly email: string;
  /** RFC 3339 */
  readonly date: string;
};

export async function makeBareRepository(folder: string, defaultBranch: string): Promise<void> {
  await execa('git', ['init', '--quiet', '--bare', `--initial-branch=${defaultBranch}`, folder]);
  await configure(folder);
}

export async function forkBareRepository(from: string, to: string): Promise<void> {
  await execa('git', ['clone', '--quiet', '--bare', from, to]);
  await execa('git', ['remote', 'remove', 'origin'], { cwd: to });
  await configure(to);
}

async function configure(folder: string): Promise<void> {
  for (const [key, value] of [
    ['http.receivepack', 'true'],
    ['uploadpack.allowFilter', 'true'],
    ['uploadpack.allowAnySHA1InWant', 'true'],
  ] as const)
    await execa('git', ['config', key, value], { cwd: folder });
}

/** One more commit on the branch, with the files added to or changed from those of `from` (or its last commit), and with submodules: path to commit. */
export async function commitFiles(
  folder: string,
  {
    branch,
    files,
    message,
    from,
    submodules = {},
  }: { branch: string; files: Files; message: string; from?: string; submodules?: Readonly<Record<string, string>> },
): Promise<void> {
  const parent = await revision(folder, from ?? branch);
  const data = (text: string): string => `data ${Buffer.byteLength(text)}\n${text}\n`;
  const entries = Object.entries(files).map(
    ([path, text]) => `M ${text.startsWith('#!') ? '100755' : '100644'} inline ${path}\n${data(text)}`,
  );
  const input = [
    `commit refs/heads/${branch}\ncommitter Ada <ada@example.com> ${Math.floor(Date.now() / 1000)} +0000\n`,
    data(message),
    parent === null ? '' : `from ${parent}\n`,
    ...entries,
    ...Object.entries(submodules).map(([path, sha]) => `M 160000 ${sha} ${path}\n`),
  ].join('');
  await execa('git', ['fast-import', '--quiet', '--force'], { cwd: folder, input });
}

/** A name of a branch, or any other revision; null when there is none. */
export async function revision(folder: string, name: string): Promise<string | null> {
  const { exitCode, stdout } = await execa('git', ['rev-parse', '--verify', '--quiet', `${name}^{commit}`], {
    cwd: folder,
    reject: false,
  });
  return exitCode === 0 ? stdout.trim() : null;
}

export type FileBlob = { readonly sha: string; readonly text: string };

export async function fileAt(folder: string, revisionName: string, path: string): Promise<FileBlob | null> {
  const at = `${revisionName}:${path}`;
  const found = await execa('git', ['rev-parse', '--verify', '--quiet', at], { cwd: folder, reject: false });
  if (found.exitCode !== 0) return null;
  const { stdout: text } = await execa('git', ['cat-file', 'blob', at], { cwd: folder, stripFinalNewline: false });
  return { sha: found.stdout, text };
}

export async function lastCommit(folder: string, branch: string): Promise<Commit | null> {
  if ((await revision(folder, `refs/heads/${branch}`)) === null) return null;
  const { stdout } = await execa('git', ['log', '-1', '--format=%H%n%T%n%an%n%ae%n%cI%n%B', `refs/heads/${branch}`], {
    cwd: folder,
  });
  const [sha = '', tree = '', author = '', email = '', date = '', ...message] = stdout.split('\n');
  return { sha, tree, author, email, date: new Date(date).toISOString(), message: message.join('\n').trim() };
}

/** Makes `refs/pull/N/head`, as GitHub does in the repository that a pull request is for. */
export async function setPullRef(
  folder: string,
  { from, branch, number }: { from: string; branch: string; number: number },
): Promise<void> {
  await execa('git', ['fetch', '--quiet', from, `+refs/heads/${branch}:refs/pull/${number}/head`], { cwd: folder });
}

export async function setRef(
  folder: string,
  { from, ref, sha }: { from: string; ref: string; sha: string },
): Promise<void> {
  await execa('git', ['fetch', '--quiet', from, `${sha}:${ref}`], { cwd: folder });
}

export async function hasWorkflows(folder: string, revisionName: string): Promise<boolean> {
  const listed = await execa('git', ['ls-tree', '--name-only', revisionName, '.github/workflows/'], { cwd: folder });
  return listed.stdout !== '';
}
