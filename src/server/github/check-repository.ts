import { NexusError } from '../../contract/errors.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import type { CreateWorkspaceRequest } from '../../contract/workspace.ts';
import { repositoryUrl } from '../repository-url.ts';
import { messageOf } from './github-api.ts';
import type { GithubApi } from './github-api.ts';

/**
 * Whether the repository is there for the owner of the token.
 * @throws github_repo_not_found, github_unreachable, github_rate_limited, unauthorized
 */
export type CheckRepository = (repo: CreateWorkspaceRequest['repo'], token: string) => Promise<void>;

/** Asks GitHub for its repositories in GitHub mode; nobody can be asked for others before they are cloned. */
export function checkRepositoryAt(github: GithubApi, config: Pick<ServerConfig, 'auth' | 'github'>): CheckRepository {
  if (config.auth.mode !== 'github') return async () => undefined;
  return async (repo, token) => {
    const name =
      repo.source === 'upload' ? null : nameAt(config.github.web_url, repositoryUrl(repo, config.github.web_url));
    if (name === null) return;
    const { status, body } = await github.get(`/repos/${name}`, token);
    if (status === 401) throw new NexusError('unauthorized', { reason: 'GitHub does not accept the token any more' });
    // 403: blocked by GitHub, or by the organisation's rules for tokens. 451: taken down by law.
    if (status === 403 || status === 451)
      throw new NexusError('forbidden', { reason: `GitHub says "${messageOf(body)}"` });
    if (status !== 200) throw new NexusError('github_repo_not_found', { repository: name });
  };
}

/** `owner/name` of a URL of that GitHub (`https`, `ssh` or `git@…:`); null for any other. */
export function nameAt(webUrl: string, url: string): string | null {
  const { hostname } = new URL(webUrl);
  const found = /^(?:(?:https?|ssh|git):\/\/(?:[^@/]*@)?([^:/]+)(?::\d+)?\/|(?:[^@/]+@)?([^:/]+):)(.+)$/i.exec(url);
  const host = found?.[1] ?? found?.[2];
  const path = /^\/?([A-Za-z0-9._-]+\/[A-Za-z0-9._-]+?)(?:\.git)?\/?$/.exec(found?.[3] ?? '')?.[1];
  return host?.toLowerCase() === hostname.toLowerCase() && path !== undefined ? path : null;
}
