import { createClient } from '../../contract/api-client.ts';
import type { Client } from '../../contract/api-client.ts';
import type { CliContext } from '../context.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { readUserConfig } from '../files/user-config-file.ts';
import { formatDuration } from '../terminal/format.ts';
import type { Output } from '../terminal/output.ts';
import { findServer, readLocalServer } from './find-server.ts';
import type { ServerAddress } from './find-server.ts';

/** A client of the server that is configured here. Nothing is sent yet. */
export async function connect(context: Pick<CliContext, 'env' | 'stderr'>): Promise<Client> {
  const { baseUrl, token } = await serverAddress(context);
  return createClient({
    baseUrl,
    token,
    ...(context.env['NEXUS_TRACE'] === '1' ? { fetch: tracedFetch(context.stderr) } : {}),
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
