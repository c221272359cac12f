import type { Client } from '../../contract/api-client.ts';
import type { CliContext } from '../context.ts';
import { assertFreeOrCloneOf, isFreeOrCloneOf } from '../git/clone-target.ts';
import type { CloneTarget } from '../git/clone-target.ts';
import type { GitCredential } from '../git/local-clone.ts';
import { canonicalRepository, otherPage } from '../git/repository-reference.ts';
import type { WorkspaceSource } from '../workspace/workspace-source.ts';
import { createGithubApi } from './github-api.ts';
import { githubDotCom, githubOf } from './github-host.ts';
import type { GithubHost } from './github-host.ts';
import { readWishes } from './read-config.ts';
import { signIn } from './sign-in.ts';
import { findWorkingRepository } from './working-repository.ts';
import type { WorkingRepository } from './working-repository.ts';

export type ResolvedSource = {
  readonly source: WorkspaceSource;
  readonly kind: WorkingRepository['kind'] | null;
  /** Who git is at the server's GitHub; null for anything that is not of it. */
  readonly credential: GitCredential | null;
};

/**
 * The repository that is worked in, of the one that was named: a fork is made where the person may not push. Anything
 * that is not of the server's GitHub stays as it is (`kind` null).
 *
 * @throws CliError before anything is made, when a clone of another repository is where `clone` is to be
 */
export async function resolveSource(
  context: CliContext,
  client: Client,
  options: {
    source: WorkspaceSource;
    fork: boolean;
    clone: CloneTarget | null;
    /** Told what takes a while at GitHub, and what was done there. */
    onProgress: (text: string) => void;
  },
): Promise<ResolvedSource> {
  const { source, fork, clone, onProgress } = options;
  if (source.local !== null) return { source, kind: null, credential: null };
  const info = await client.call('getSignIn');
  const host = githubOf(info);
  if (info.mode !== 'github' || !isAt(host, source.repo.url)) {
    if (clone !== null) assertFreeOrCloneOf(clone, [urlOf(source)]);
    return { source, kind: null, credential: null };
  }
  assertRepository(source);
  const account = await signIn(context, host, { force: false });
  const api = createGithubApi(host, account.token, { signal: context.interrupt });
  const { branchMayHaveFolder, repo: named } = source;
  const { owner, name, branch = null } = named;
  const wanted = { owner, name, url: null, branch, ...(branchMayHaveFolder ? { branchMayHaveFolder } : {}) };
  const { repo, kind } = await findWorkingRepository(api, wanted, {
    host,
    login: account.login,
    fork,
    signal: context.interrupt,
    onProgress,
    ...(clone === null ? {} : { beforeFork: (original) => assertCloneFits(clone, original) }),
  });
  const urls = repo.upstream_url === undefined ? [repo.url] : [repo.url, repo.upstream_url];
  if (clone !== null) assertFreeOrCloneOf(clone, urls);
  const wishes = await readWishes(api, repo, source.wishes);
  context.interrupt.throwIfAborted();
  const { token, from } = account.token;
  return {
    source: { ...source, repo, wishes },
    kind,
    credential: { url: host.webUrl, token: from === 'gh' ? null : token },
  };
}

/** GitHub's addresses of repositories have an owner and a name; a longer one is of a page that was not understood. */
function assertRepository({ repo: { url } }: WorkspaceSource): void {
  const [, owner = '', name = '', ...more] = url === undefined ? [] : (canonicalRepository(url)?.split('/') ?? []);
  if (url !== undefined && more.length > 0) throw otherPage({ text: url, owner, name });
}

/** Where the repository is; GitHub's own is meant by a name alone. */
export function urlOf({ repo: { owner, name, url } }: WorkspaceSource): string {
  return url ?? `${githubDotCom.webUrl}/${owner}/${name}.git`;
}

/** A clone of a fork, which may have any name, is one of the original too. */
async function assertCloneFits(
  clone: CloneTarget,
  original: { url: string; isForkedAs: (fullName: string) => Promise<boolean> },
): Promise<void> {
  if (isFreeOrCloneOf(clone, [original.url])) return;
  const host = canonicalRepository(original.url)?.split('/')[0] ?? '';
  for (const remote of clone.remotes ?? []) {
    const [at, ...fullName] = canonicalRepository(remote)?.split('/') ?? [];
    if (at === host && fullName.length === 2 && (await original.isForkedAs(fullName.join('/')))) return;
  }
  assertFreeOrCloneOf(clone, [original.url]);
}

/** `owner/name` alone is of the server's GitHub. */
function isAt(host: GithubHost, url: string | undefined): boolean {
  if (url === undefined) return true;
  const name =
    /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?([^/]+)\//.exec(url)?.[1] ?? /^(?:[^@/]+@)?([^:/]+):/.exec(url)?.[1];
  return name?.toLowerCase() === host.name.toLowerCase();
}

/** What was done on GitHub, for the person; null when there is nothing to say. */
export function whatWasFound({ source, kind }: Pick<ResolvedSource, 'source' | 'kind'>): string | null {
  const { owner, name, upstream_url } = source.repo;
  const original = upstream_url?.replace(/^https?:\/\/[^/]+\/|\.git$/g, '');
  switch (kind) {
    case 'fork_made':
      return `${owner}/${name} is your new fork of ${original}`;
    case 'fork_found':
      return `${owner}/${name} is your fork of ${original}`;
    case 'readable':
      return `you may read ${owner}/${name}, not push to it`;
    default:
      return null;
  }
}
