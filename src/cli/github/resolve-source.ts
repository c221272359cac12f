import type { Client } from '../../contract/api-client.ts';
import type { CliContext } from '../context.ts';
import type { WorkspaceSource } from '../workspace/workspace-source.ts';
import { createGithubApi } from './github-api.ts';
import { githubOf } from './github-host.ts';
import type { GithubHost } from './github-host.ts';
import { signIn } from './sign-in.ts';
import { findWorkingRepository } from './working-repository.ts';
import type { WorkingRepository } from './working-repository.ts';

export type ResolvedSource = { readonly source: WorkspaceSource; readonly kind: WorkingRepository['kind'] | null };

/**
 * The repository that is worked in, of the one that was named: a fork is made where the person may not push. Anything
 * that is not of the server's GitHub stays as it is (`kind` null).
 */
export async function resolveSource(
  context: CliContext,
  client: Client,
  options: { source: WorkspaceSource; fork: boolean },
): Promise<ResolvedSource> {
  const { source, fork } = options;
  const unchanged = { source, kind: null };
  if (source.local !== null) return unchanged;
  const info = await client.call('getSignIn');
  const host = githubOf(info);
  if (info.mode !== 'github' || !isAt(host, source.repo.url)) return unchanged;
  const account = await signIn(context, host, { force: false });
  const api = createGithubApi(host, account.token, { signal: context.interrupt });
  const { owner, name, branch = null } = source.repo;
  const { repo, kind } = await findWorkingRepository(
    api,
    { owner, name, url: null, branch },
    { host, login: account.login, fork, signal: context.interrupt },
  );
  return { source: { ...source, repo }, kind };
}

/** `owner/name` alone is of the server's GitHub. */
function isAt(host: GithubHost, url: string | undefined): boolean {
  if (url === undefined) return true;
  const name =
    /^(?:https?|ssh|git):\/\/(?:[^@/]*@)?([^/]+)\//.exec(url)?.[1] ?? /^(?:[^@/]+@)?([^:/]+):/.exec(url)?.[1];
  return name?.toLowerCase() === host.name.toLowerCase();
}

/** What was done on GitHub, for the person; null when there is nothing to say. */
export function whatWasFound({ source, kind }: ResolvedSource): string | null {
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
