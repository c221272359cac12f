/** A clone on this machine with the remotes that the workspace's has: whole, or not there at all. */
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { failure, interrupted } from '../cli-error.ts';
import { shellQuote } from '../terminal/format.ts';
import { runGit } from './run-git.ts';

/** Who git is at the host of `url`, and there only. No token is written down, or stands in an argument. */
export type GitCredential = {
  /** Scheme and host, e.g. `https://github.com`. */
  readonly url: string;
  /** Null: gh is asked, now and later. */
  readonly token: string | null;
};

export type CloneRequest = {
  readonly folder: string;
  readonly url: string;
  /** A branch, tag, commit or another ref; null: the repository's own branch. */
  readonly branch: string | null;
  readonly upstream: string | null;
  /** Null: the person's own git configuration is all there is. */
  readonly credential: GitCredential | null;
  readonly signal: AbortSignal;
  /** Told what git is about. */
  readonly onProgress: (text: string) => void;
};

type Git = (folder: string, ...args: string[]) => Promise<string>;

/** @throws CliError with what git said; then nothing is left of the clone */
export async function cloneRepository(request: CloneRequest): Promise<void> {
  const { folder, upstream } = request;
  const parent = dirname(folder);
  await mkdir(parent, { recursive: true });
  // An empty folder stays the one it is: somebody's shell may be in it.
  const isThere = (await readdir(folder).catch(() => null)) !== null;
  const place = isThere ? folder : join(parent, `.${basename(folder)}.nexus-clone`);
  if (!isThere) await rm(place, { recursive: true, force: true });
  try {
    const git = gitOf(request);
    await cloneTo(place, request, git);
    if (upstream !== null) await addUpstream(place, upstream, git);
    if (!isThere) await rename(place, folder);
  } catch (error) {
    const left = isThere ? (await readdir(folder)).map((name) => join(folder, name)) : [place];
    await Promise.all(left.map((path) => rm(path, { recursive: true, force: true })));
    throw error;
  }
}

async function cloneTo(folder: string, { url, branch, credential }: CloneRequest, git: Git): Promise<void> {
  const parent = dirname(folder);
  // gh keeps the token; what is written down is only that it is asked.
  const kept = credential?.token === null ? helpers(credential).flatMap((one) => ['--config', one]) : [];
  const clone = ['clone', '--progress', '--recurse-submodules', ...kept];
  const ref = branch?.replace(/^refs\/(?:heads|tags)\//, '') ?? null;
  const named = ref === null ? '' : await git(parent, 'ls-remote', url, `refs/heads/${ref}`, `refs/tags/${ref}`);
  if (ref === null || named !== '') {
    await git(parent, ...clone, ...(ref === null ? [] : ['--branch', ref]), '--', url, folder);
    return;
  }
  await git(parent, ...clone, '--', url, folder);
  const isHere = (await runGit(folder, ['cat-file', '-e', `${ref}^{commit}`])).exitCode === 0;
  if (!isHere) await git(folder, 'fetch', '--quiet', 'origin', ref);
  await git(folder, 'checkout', '--quiet', '--detach', isHere ? ref : 'FETCH_HEAD');
}

/** What is worked on comes from the original and goes to the fork, as in the workspace. It may be out of reach now. */
async function addUpstream(folder: string, upstream: string, git: Git): Promise<void> {
  await git(folder, 'remote', 'add', 'upstream', upstream);
  await git(folder, 'config', 'remote.pushDefault', 'origin');
  await git(folder, 'config', 'push.default', 'current');
  await git(folder, 'fetch', '--quiet', 'upstream').catch(() => undefined);
  const branch = (await runGit(folder, ['symbolic-ref', '--quiet', '--short', 'HEAD'])).stdout.trim();
  const tracked = ['show-ref', '--quiet', '--verify', `refs/remotes/upstream/${branch}`];
  if (branch !== '' && (await runGit(folder, tracked)).exitCode === 0)
    await git(folder, 'branch', '--quiet', '--set-upstream-to', `upstream/${branch}`);
}

function gitOf({ credential, signal, url, folder, onProgress }: CloneRequest): Git {
  const who = credential === null ? [] : helpers(credential).flatMap((one) => ['-c', one]);
  const env = {
    // A host that went silent is not waited for.
    GIT_HTTP_LOW_SPEED_LIMIT: '1000',
    GIT_HTTP_LOW_SPEED_TIME: '30',
    ...(credential?.token ? { NEXUS_CLONE_TOKEN: credential.token } : {}),
  };
  return async (at, ...args) => {
    const { exitCode, stdout, stderr } = await runGit(at, [...who, ...args], { env, signal, onProgress });
    if (exitCode === 0) return stdout;
    if (signal.aborted) throw interrupted(`${folder} was not cloned.`);
    const isFull = /No space left on device|Disk quota exceeded/i.test(stderr);
    throw failure(`${url} could not be cloned to ${folder}: ${reasonOf(stderr)}.`, {
      next: isFull
        ? `df -h ${shellQuote(dirname(folder))}`
        : `git clone ${shellQuote(url)} ${shellQuote(folder)} tries it alone`,
    });
  };
}

/** Settings of git. The first lets no other helper be told the token, which it could write down. */
function helpers({ url, token }: GitCredential): string[] {
  const answer = `!f() { test "$1" = get && printf 'username=x-access-token\\npassword=%s\\n' "$NEXUS_CLONE_TOKEN"; }; f`;
  const key = `credential.${url}.helper`;
  return [`${key}=`, `${key}=${token === null ? '!gh auth git-credential' : answer}`];
}

function reasonOf(stderr: string): string {
  const lines = stderr
    .split(/[\r\n]+/)
    .map((line) => line.trim())
    .filter(Boolean);
  const said = lines.findLast((line) => /^(?:fatal|error): /.test(line)) ?? lines.at(-1);
  return said?.replace(/^(?:fatal|error): /, '').replace(/\.$/, '') ?? 'git did not say why';
}
