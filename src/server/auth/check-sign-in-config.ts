/** What the schema alone cannot say of the keys that have to do with signing in. */
import { NexusError } from '../../contract/errors.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import { isLoopback } from '../../lib/loopback.ts';

type SignInConfig = Pick<ServerConfig, 'auth' | 'github'>;
type Problem = { readonly path: string; readonly problem: string };

/** @throws config_invalid naming all that is missing or unsafe */
export function checkSignInConfig(config: SignInConfig): void {
  const problems = [...githubProblems(config), ...oidcProblems(config)];
  if (problems.length > 0) throw new NexusError('config_invalid', { file: 'configuration', problems, of: 'server' });
}

function githubProblems({ auth, github }: SignInConfig): Problem[] {
  if (auth.mode !== 'github') return [];
  const problems = (['api_url', 'web_url'] as const).flatMap((key) => unsafe(`github.${key}`, github[key]));
  const { client_id, client_secret } = github;
  // The id alone is enough for the device flow.
  if (client_id !== undefined || client_secret === undefined) return problems;
  return [...problems, { path: 'github.client_id', problem: 'is required with github.client_secret' }];
}

function oidcProblems({ auth: { mode, oidc } }: SignInConfig): Problem[] {
  if (mode !== 'oidc') return [];
  if (oidc !== undefined) return unsafe('auth.oidc.issuer', oidc.issuer);
  return [{ path: 'auth.oidc', problem: 'is required in oidc mode: issuer and audience' }];
}

/** Tokens go there. */
function unsafe(path: string, text: string): Problem[] {
  const { protocol, hostname } = new URL(text);
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname.replace(/^\[|\]$/g, '')))) return [];
  return [{ path, problem: 'must begin with https://, as tokens are sent there' }];
}
