/**
 * Makes a git bundle of a local repository. Everything new (a commit of its own for a folder or a shallow clone, the
 * commit of uncommitted changes) is made in a throw-away repository that borrows the objects of the person's, whose
 * files, index, refs and objects are never written to.
 */
import { copyFile, mkdtemp, mkdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { failure } from '../cli-error.ts';
import type { LocalRepository } from './local-repository.ts';
import { askGit, runGit } from './run-git.ts';

/** Where the commit of uncommitted changes is in the bundle. */
const changesRef = 'refs/nexus/changes';

export type Bundle = {
  readonly file: string;
  readonly sizeBytes: number;
  /** The commit that `HEAD` of the bundle is. */
  readonly commit: string;
  /** The bundle's only branch; null when its head is detached. */
  readonly branch: string | null;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function createBundle(repository: LocalRepository, options: { includeChanges: boolean }): Promise<Bundle> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-bundle-'));
  const dispose = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const scratch = await createScratch(repository, folder);
    const commit = await committedState(repository, scratch);
    const changes =
      options.includeChanges && repository.changedFiles.length > 0
        ? await commitChanges(repository, scratch, commit)
        : null;
    const { file, branch } = await writeBundle(repository, scratch, { commit, changes });
    const { size } = await stat(file);
    return { file, sizeBytes: size, commit, branch, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

type Scratch = {
  readonly folder: string;
  readonly gitDir: string;
  /** Git in the throw-away repository. */
  git(args: readonly string[], options?: { input?: string }): Promise<string>;
};

async function createScratch(repository: LocalRepository, folder: string): Promise<Scratch> {
  const gitDir = join(folder, 'scratch.git');
  await must(folder, ['init', '--quiet', '--bare', '--template=', gitDir]);
  const objects = resolve(
    repository.folder,
    (await askGit(repository.folder, ['rev-parse', '--git-path', 'objects'])) ?? '',
  );
  await mkdir(join(gitDir, 'objects/info'), { recursive: true });
  await writeFile(join(gitDir, 'objects/info/alternates'), `${objects}\n`);
  const author = await authorOf(repository);
  return {
    folder,
    gitDir,
    git: (args, options) => must(folder, args, { ...options, env: { GIT_DIR: gitDir, ...author } }),
  };
}

async function must(
  folder: string,
  args: readonly string[],
  options: { env?: Readonly<Record<string, string>>; input?: string } = {},
): Promise<string> {
  const { exitCode, stdout, stderr } = await runGit(folder, args, options);
  if (exitCode === 0) return stdout.trim();
  throw failure(`git ${args[0]} failed: ${stderr.trim() || `it ended with ${exitCode}`}`);
}

/** Commits that we make carry the person's name, and the time of the commit they stand for, so that they are reproducible. */
async function authorOf(repository: LocalRepository): Promise<Record<string, string>> {
  const [name, email, date] = await Promise.all([
    askGit(repository.folder, ['config', 'user.name']),
    askGit(repository.folder, ['config', 'user.email']),
    askGit(repository.folder, ['show', '-s', '--format=%cI', repository.head]),
  ]);
  const author = { NAME: name || 'Nexus', EMAIL: email || 'nexus@localhost', DATE: date ?? '' };
  return Object.fromEntries(
    Object.entries(author).flatMap(([key, value]) => [
      [`GIT_AUTHOR_${key}`, value],
      [`GIT_COMMITTER_${key}`, value],
    ]),
  );
}

/** The head itself; of a folder and of a shallow clone a commit of its own, without parents that are not there. */
async function committedState(repository: LocalRepository, scratch: Scratch): Promise<string> {
  const { head, prefix, isShallow, topLevel } = repository;
  if (prefix === '' && !isShallow) return head;
  const tree = await scratch.git([
    'rev-parse',
    prefix === '' ? `${head}^{tree}` : `${head}:${prefix.replace(/\/$/, '')}`,
  ]);
  const from = prefix === '' ? basename(topLevel) : `${prefix.replace(/\/$/, '')} of ${basename(topLevel)}`;
  return scratch.git(['commit-tree', tree, '-m', `${from} at ${head}`]);
}

/** A commit on top of `parent` with all that is in the folder and not ignored, made with a copy of the index. */
async function commitChanges(repository: LocalRepository, scratch: Scratch, parent: string): Promise<string> {
  const index = join(scratch.folder, 'index');
  const ownIndex = resolve(
    repository.folder,
    (await askGit(repository.folder, ['rev-parse', '--git-path', 'index'])) ?? '',
  );
  await copyFile(ownIndex, index).catch(() => undefined);
  const borrowed = resolve(
    repository.folder,
    (await askGit(repository.folder, ['rev-parse', '--git-path', 'objects'])) ?? '',
  );
  const env = {
    GIT_INDEX_FILE: index,
    GIT_OBJECT_DIRECTORY: join(scratch.gitDir, 'objects'),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: borrowed,
  };
  await must(repository.folder, ['add', '--all', '--', '.'], { env });
  const tree = await must(
    repository.folder,
    ['write-tree', ...(repository.prefix === '' ? [] : [`--prefix=${repository.prefix}`])],
    { env },
  );
  return scratch.git(['commit-tree', tree, '-p', parent, '-m', 'Uncommitted changes']);
}

async function writeBundle(
  repository: LocalRepository,
  scratch: Scratch,
  commits: { commit: string; changes: string | null },
): Promise<{ file: string; branch: string | null }> {
  const file = join(scratch.folder, 'source.bundle');
  const { branch } = repository;
  if (branch === null) await scratch.git(['update-ref', '--no-deref', 'HEAD', commits.commit]);
  else await scratch.git(['symbolic-ref', 'HEAD', `refs/heads/${branch}`]);
  const refs = [
    ...(branch === null ? [] : [`refs/heads/${branch} ${commits.commit}`]),
    ...(commits.changes === null ? [] : [`${changesRef} ${commits.changes}`]),
    ...(commits.commit === repository.head ? await knownRefs(repository) : []),
  ];
  await scratch.git(['update-ref', '--stdin'], { input: refs.map((ref) => `update ${ref}\n`).join('') });
  // HEAD and whatever was put into the throw-away repository.
  await scratch.git(['bundle', 'create', '--quiet', file, 'HEAD', '--all']);
  return { file, branch };
}

/** What history is called: tags on it, and how far the branch was known to be at its origin; `NAME HASH` each. */
async function knownRefs({ folder, head, branch, originUrl }: LocalRepository): Promise<string[]> {
  const format = '--format=%(refname) %(objectname)';
  const lines = async (args: readonly string[]): Promise<string[]> => {
    const { stdout } = await runGit(folder, ['for-each-ref', format, ...args]);
    return stdout.split('\n').filter(Boolean);
  };
  const tags = await lines([`--merged=${head}`, 'refs/tags']);
  const origin =
    branch === null || originUrl === null ? [] : await lines([`--merged=${head}`, `refs/remotes/origin/${branch}`]);
  return [...tags, ...origin];
}
