/** The way to sign in that the configuration asks for. */
import type { ServerConfig } from '../../contract/server-config.ts';
import { exchangeCode, type GithubGrant } from '../github/exchange-code.ts';
import type { GithubApi } from '../github/github-api.ts';
import type { GitLender } from '../git-credentials/git-lender.ts';
import type { Store } from '../store/store.ts';
import type { Authenticator, OsUser } from './authenticator.ts';
import { checkSignInConfig } from './check-sign-in-config.ts';
import { createGithubAuthenticator } from './github-authenticator.ts';
import { createLocalAuthenticator } from './local-authenticator.ts';
import { createOidcAuthenticator } from './oidc-authenticator.ts';
import { claimUsers } from './claim-users.ts';
import { createWebSignIn } from './web-sign-in.ts';
import type { WebSignIn } from './web-sign-in.ts';

export type AuthenticatorParts = {
  readonly config: Pick<ServerConfig, 'auth' | 'data_dir' | 'github' | 'admins'>;
  readonly store: Store;
  readonly github: GithubApi;
  readonly osUser: OsUser;
  readonly lender: Pick<GitLender, 'take' | 'refuse'>;
  readonly now: () => Date;
};

/** The web flow needs an OAuth App of GitHub; null without one. */
export function createWebSignInOf(
  { auth, github }: Pick<ServerConfig, 'auth' | 'github'>,
  { now, onGrant }: { now: () => Date; onGrant: (grant: GithubGrant) => void },
): WebSignIn | null {
  const { web_url: webUrl, client_id: clientId, client_secret: clientSecret } = github;
  if (auth.mode !== 'github' || clientId === undefined || clientSecret === undefined) return null;
  return createWebSignIn({ app: { webUrl, clientId, clientSecret }, exchange: exchangeCode, onGrant, now });
}

/** @throws config_invalid when the configured mode lacks something, or the stored users are another mode's */
export async function createAuthenticator({
  config,
  store,
  github,
  osUser,
  lender,
  now,
}: AuthenticatorParts): Promise<Authenticator> {
  checkSignInConfig(config);
  await claimUsers(store, config);
  const { mode, oidc } = config.auth;
  if (mode === 'github')
    return createGithubAuthenticator({
      store,
      github,
      lender,
      admins: config.admins,
      organizations: config.github.organizations,
      now,
    });
  if (mode === 'oidc' && oidc !== undefined) return createOidcAuthenticator({ oidc, admins: config.admins, now });
  return createLocalAuthenticator({ dataDir: config.data_dir, osUser });
}
