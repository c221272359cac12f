/** The seam between the API and the ways to sign in. */
import { NexusError } from '../../contract/errors.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import { createLocalAuthenticator } from './local-authenticator.ts';

/** Whom a token belongs to. */
export type TokenOwner = { readonly githubUsername: string; readonly githubId: number; readonly admin: boolean };

export type Authenticator = {
  /** @throws unauthorized when the token is not accepted */
  authenticate(token: string): Promise<TokenOwner>;
};

/** The user of the operating system who started the server. */
export type OsUser = { readonly username: string; readonly uid: number };

/** @throws config_invalid when the configured mode is not there */
export async function createAuthenticator(
  config: Pick<ServerConfig, 'auth' | 'data_dir'>,
  osUser: OsUser,
): Promise<Authenticator> {
  const { mode } = config.auth;
  if (mode === 'local') return createLocalAuthenticator({ dataDir: config.data_dir, osUser });
  const problem = `this version does not have ${mode} sign-in yet; set it to local`;
  throw new NexusError('config_invalid', {
    file: 'configuration',
    problems: [{ path: 'auth.mode', problem }],
    of: 'server',
  });
}
