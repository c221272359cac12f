/** Which server, and with which token: the environment wins over the person's file, and that over a local server. */
import { join } from 'node:path';
import type { UserConfig } from '../../contract/user-config.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { usageError } from '../cli-error.ts';
import type { Environment } from '../context.ts';
import { readOptionalFile } from '../files/read-optional-file.ts';

const defaultPort = 3001;

export type ServerAddress = {
  readonly baseUrl: string;
  /** False: nobody said which, and it is where one on this machine would be. */
  readonly isNamed: boolean;
  /** Null: none is known. */
  readonly token: string | null;
  readonly tokenFrom: 'NEXUS_TOKEN' | 'local' | null;
};

/** What a server on this machine tells of itself: `server.json` and `local-token` in its data folder. */
export type LocalServer = { readonly dataDir: string; readonly url: string | null; readonly token: string | null };

export async function readLocalServer(env: Environment): Promise<LocalServer> {
  const dataDir = env['NEXUS_DATA_DIR'] || '/var/lib/nexus';
  const [description, token] = await Promise.all([
    readableFile(join(dataDir, 'server.json')),
    readableFile(join(dataDir, 'local-token')),
  ]);
  return { dataDir, url: description === null ? null : urlIn(description), token: token?.trim() || null };
}

/** Of another user's server nothing is known, as of one that is not there. */
async function readableFile(file: string): Promise<string | null> {
  return readOptionalFile(file).catch(() => null);
}

function urlIn(description: string): string | null {
  try {
    const { url } = JSON.parse(description) as { url?: unknown };
    return typeof url === 'string' ? new URL(url).origin : null;
  } catch {
    return null;
  }
}

export function findServer(env: Environment, config: UserConfig, local: LocalServer): ServerAddress {
  const named = namedServer(env, config) ?? local.url;
  const isNamed = named !== null;
  const baseUrl = named ?? `http://127.0.0.1:${defaultPort}`;
  if (env['NEXUS_TOKEN']) return { baseUrl, isNamed, token: env['NEXUS_TOKEN'], tokenFrom: 'NEXUS_TOKEN' };
  // The local token goes to the server that wrote it, and to no other.
  if (local.token !== null && local.url !== null && isSameServer(baseUrl, local.url)) {
    return { baseUrl, isNamed, token: local.token, tokenFrom: 'local' };
  }
  return { baseUrl, isNamed, token: null, tokenFrom: null };
}

function namedServer(env: Environment, config: UserConfig): string | null {
  const server = env['NEXUS_SERVER'] || config.server;
  const port = env['NEXUS_SERVER_PORT'] || config.server_port;
  if (!server) return port ? serverUrl('127.0.0.1', port) : null;
  return serverUrl(server, env['NEXUS_SERVER'] ? env['NEXUS_SERVER_PORT'] : port);
}

/** `host`, `host:port` or a URL; `port` counts where the text has none. */
export function serverUrl(text: string, port: string | number | undefined): string {
  const hasScheme = /^https?:\/\//.test(text);
  // A port that is the scheme's own is not kept in a URL.
  const hasPort = /:\d+\/?$/.test(text);
  const isPortGiven = port !== undefined && port !== '';
  try {
    const url = new URL(hasScheme ? text : `http://${text}`);
    if (!hasPort && isPortGiven) url.port = checkedPort(port);
    if (!hasPort && !isPortGiven && !hasScheme) url.port = String(defaultPort);
    return url.origin;
  } catch {
    throw usageError(`${text}${isPortGiven ? ` with port ${port}` : ''} is not the address of a server.`, {
      title: 'Could not find the server',
      next: `export NEXUS_SERVER=http://127.0.0.1:${defaultPort}`,
    });
  }
}

function checkedPort(port: string | number): string {
  const value = Number(port);
  if (!Number.isInteger(value) || value < 1 || value > 65_535) throw new RangeError(`port ${port}`);
  return String(value);
}

function isSameServer(a: string, b: string): boolean {
  const [one, other] = [new URL(a), new URL(b)];
  const isSameHost = one.hostname === other.hostname || (isLoopback(one.hostname) && isLoopback(other.hostname));
  return isSameHost && one.port === other.port && one.protocol === other.protocol;
}
