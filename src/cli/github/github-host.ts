/** The GitHub that a server works with: github.com, or a GitHub Enterprise Server. */
import { neededScopes } from '../../contract/sign-in.ts';
import type { SignInView } from '../../contract/sign-in.ts';

export type GithubHost = {
  /** `github.com`, as `gh --hostname` takes it. */
  readonly name: string;
  readonly webUrl: string;
  readonly apiUrl: string;
  /** Of the OAuth app of the server, for signing in without gh; null: there is none. */
  readonly clientId: string | null;
  /** Whether one can sign in in the browser through the server. */
  readonly webFlow: boolean;
};

export const githubDotCom: GithubHost = {
  name: 'github.com',
  webUrl: 'https://github.com',
  apiUrl: 'https://api.github.com',
  clientId: null,
  webFlow: false,
};

export function githubOf({ github }: SignInView): GithubHost {
  if (github === null) return githubDotCom;
  const { web_url, api_url, client_id, web_flow } = github;
  return { name: new URL(web_url).host, webUrl: web_url, apiUrl: api_url, clientId: client_id, webFlow: web_flow };
}

/** The needed scopes that are not among `granted`; GitHub grants the wider ones with what they hold. */
export function missingScopes(granted: readonly string[]): string[] {
  const holds: Readonly<Record<string, readonly string[]>> = {
    'read:org': ['write:org', 'admin:org'],
    'user:email': ['user'],
  };
  return neededScopes.filter((scope) => ![scope, ...(holds[scope] ?? [])].some((one) => granted.includes(one)));
}
