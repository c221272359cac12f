import { refreshCommand } from './gh.ts';
import type { GithubHost } from './github-host.ts';
import type { GithubToken } from './github-token.ts';

/** The next step of somebody whose token allows too little. */
export function moreScopes(
  host: GithubHost,
  { from, scopes }: { from: GithubToken['from']; scopes: readonly string[] },
): string {
  switch (from) {
    case 'gh':
      return refreshCommand(host, scopes);
    case 'credentials':
      return 'nexus auth github --force';
    default:
      return `${host.webUrl}/settings/tokens`;
  }
}
