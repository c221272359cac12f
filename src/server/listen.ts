import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { NexusError } from '../contract/errors.ts';
import type { ServerConfig } from '../contract/server-config.ts';
import type { DataDir } from './data-dir.ts';

/**
 * Listens, and returns the port. Any port (0) is the one of the last start when it is free: a gateway and an agent that
 * outlived the server look for it there.
 * @throws port_already_in_use
 */
export async function listen(
  app: FastifyInstance,
  dir: DataDir,
  { host, port }: ServerConfig['listen'],
): Promise<number> {
  const last = port === 0 ? await lastPort(dir) : null;
  try {
    await app.listen({ host, port: last ?? port });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    if (last === null) throw new NexusError('port_already_in_use', { port }, { cause: error });
    await app.listen({ host, port: 0 });
  }
  return (app.server.address() as AddressInfo).port;
}

/** From the `server.json` that a server which was killed left behind. */
async function lastPort(dir: DataDir): Promise<number | null> {
  try {
    const { url } = JSON.parse(await readFile(join(dir.path, 'server.json'), 'utf8')) as { url: string };
    return Number(new URL(url).port) || null;
  } catch {
    return null;
  }
}

/** Where processes of this machine reach the server. */
export function localUrl(config: Pick<ServerConfig, 'listen' | 'tls' | 'public_host'>, port: number): string {
  // The certificate is for the public name.
  if (config.tls) return `https://${config.public_host}:${port}`;
  const { host } = config.listen;
  const local = { '0.0.0.0': '127.0.0.1', '::': '[::1]' }[host] ?? (host.includes(':') ? `[${host}]` : host);
  return `http://${local}:${port}`;
}
