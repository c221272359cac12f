import { createClient } from '../../contract/api-client.ts';
import type { Client } from '../../contract/api-client.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { failure } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { readUserConfig } from '../files/user-config-file.ts';
import { formatDuration } from '../terminal/format.ts';
import type { Output } from '../terminal/output.ts';
import { findServer, readLocalServer } from './find-server.ts';
import type { ServerAddress } from './find-server.ts';
import { withSignInHint } from './sign-in-hint.ts';

const plainHttpVariable = 'NEXUS_ALLOW_PLAIN_HTTP';

/**
 * A client of the server that is configured here, as the person who is signed in: by `NEXUS_TOKEN`, as the user of a
 * server on this machine, or on GitHub when the server asks GitHub who somebody is.
 */
export async function connect(context: Pick<CliContext, 'env' | 'stderr'>): Promise<Client> {
  const address = await serverAddress(context);
  const { baseUrl } = address;
  const token = address.token ?? (await githubTokenFor(context, clientOf(context, baseUrl, null)));
  return withSignInHint(context, clientOf(context, baseUrl, token));
}

/** A client for what needs no sign-in. Nothing is sent yet. */
export async function connectWithout(context: Pick<CliContext, 'env' | 'stderr'>): Promise<Client> {
  return clientOf(context, (await serverAddress(context)).baseUrl, null);
}

/** Whether somebody said which server it is, or one runs on this machine. */
export async function isServerNamed(context: Pick<CliContext, 'env' | 'stderr'>): Promise<boolean> {
  return (await serverAddress(context)).isNamed;
}

function clientOf(context: Pick<CliContext, 'env' | 'stderr'>, baseUrl: string, token: string | null): Client {
  return createClient({
    baseUrl,
    token,
    ...(context.env['NEXUS_TRACE'] === '1' ? { fetch: tracedFetch(context.stderr) } : {}),
  });
}

/** A GitHub token goes to a server that works with GitHub, and not in clear over a network. */
async function githubTokenFor(context: Pick<CliContext, 'env'>, client: Client): Promise<string | null> {
  const signIn = await client.call('getSignIn').catch(() => null);
  if (signIn?.mode !== 'github') return null;
  const { githubOf } = await import('../github/github-host.ts');
  const { findGithubToken } = await import('../github/github-token.ts');
  const found = await findGithubToken(context, githubOf(signIn));
  if (found !== null) assertMayCarryToken(context, client.baseUrl);
  return found?.token ?? null;
}

/** @throws CliError where a GitHub token would go over a network in clear, which nobody allowed */
export function assertMayCarryToken({ env }: Pick<CliContext, 'env'>, baseUrl: string): void {
  const { protocol, hostname } = new URL(baseUrl);
  if (protocol !== 'http:' || isLoopback(hostname) || env[plainHttpVariable] === '1') return;
  throw failure(`Your GitHub token would go to ${baseUrl} in clear.`, {
    next: `export NEXUS_SERVER=https://${hostname} (or, in a network that you trust, export ${plainHttpVariable}=1)`,
  });
}

async function serverAddress(context: Pick<CliContext, 'env' | 'stderr'>): Promise<ServerAddress> {
  const { env, stderr } = context;
  const [config, local] = await Promise.all([
    readUserConfig(nexusPaths(env).configFile, { stderr, nowMs: Date.now() }),
    readLocalServer(env),
  ]);
  return findServer(env, config, local);
}

/** `NEXUS_TRACE=1`: a line a request, without tokens and bodies. */
function tracedFetch(stderr: Output): typeof globalThis.fetch {
  const traced = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const startedMs = performance.now();
    const line = `${init?.method} ${input as string}`;
    try {
      const response = await fetch(input, init);
      const elapsed = formatDuration(performance.now() - startedMs);
      stderr.write(`· ${line} ${response.status} ${elapsed} ${response.headers.get('x-request-id') ?? ''}\n`);
      return response;
    } catch (error) {
      stderr.write(`· ${line} failed\n`);
      throw error;
    }
  };
  return traced;
}
