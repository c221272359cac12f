import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { pathOf } from '../../contract/api-client.ts';
import type { Client } from '../../contract/api-client.ts';
import { webSockets } from '../../contract/web-sockets.ts';
import { NexusError } from '../../contract/errors.ts';
import { failure } from '../cli-error.ts';
import { streamOfSocket } from '../server/socket-stream.ts';
import { persist } from './follow-events.ts';

export type TunnelTarget = { readonly workspaceId: string; readonly port: number };

/** A connection to a port inside, through the server's HTTP port. A stopped workspace is started first. */
export async function openTunnel(client: Client, target: TunnelTarget, signal: AbortSignal): Promise<Duplex> {
  const path = pathOf(webSockets.tunnel, { id: target.workspaceId });
  return streamOfSocket(await client.openWebSocket(path, { port: target.port }, { signal }));
}

/** How long the answer to a connection whose client has said all is waited for. */
const defaultLingerMs = 5000;

/**
 * Joins both ends until the tunnel ends. A WebSocket cannot be closed in one direction, so after the local end has
 * said all, the tunnel is kept while answers come.
 */
export async function joinStreams(
  local: { readonly input: NodeJS.ReadableStream; readonly output: NodeJS.WritableStream },
  tunnel: Duplex,
  options: { lingerMs: number } = { lingerMs: defaultLingerMs },
): Promise<void> {
  const { input, output } = local;
  const ended = Promise.withResolvers<void>();
  let linger: NodeJS.Timeout | undefined;
  const lingerOn = (): void => {
    clearTimeout(linger);
    linger = setTimeout(ended.resolve, options.lingerMs);
  };
  const onInputEnd = (): void => {
    lingerOn();
    tunnel.on('data', lingerOn);
  };
  input.on('end', onInputEnd);
  input.on('error', ended.resolve);
  output.on('error', ended.resolve);
  tunnel.on('error', ended.reject);
  tunnel.on('end', ended.resolve);
  input.pipe(tunnel, { end: false });
  tunnel.pipe(output, { end: false });
  try {
    await ended.promise;
  } finally {
    input.off('end', onInputEnd);
    tunnel.off('data', lingerOn);
    clearTimeout(linger);
    input.unpipe(tunnel);
    tunnel.destroy();
  }
}

export type PortForward = {
  readonly localPort: number;
  /** Ends when the listener is closed. */
  readonly closed: Promise<void>;
};

/**
 * Listens on a port of this machine's loopback and gives each connection a tunnel of its own, so that forwarding
 * outlives a restart of the server: connections that come meanwhile wait for it.
 * @throws NexusError port_already_in_use; CliError when the port needs root
 */
export async function forwardPort(
  client: Client,
  options: TunnelTarget & { localPort: number; signal: AbortSignal; onProblem: (error: unknown) => void },
): Promise<PortForward> {
  const { signal, localPort, onProblem } = options;
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    void serve(socket);
  });
  async function serve(socket: Socket): Promise<void> {
    try {
      const tunnel = await persist(() => openTunnel(client, options, signal), { signal });
      await joinStreams({ input: socket, output: socket }, tunnel);
    } catch (error) {
      if (!signal.aborted) onProblem(error);
    } finally {
      socket.destroy();
    }
  }
  await listen(server, localPort);
  const closed = once(server, 'close').then(() => undefined);
  signal.addEventListener(
    'abort',
    () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
    { once: true },
  );
  return { localPort: portOf(server), closed };
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') throw new NexusError('port_already_in_use', { port }, { cause: error });
    if (code === 'EACCES')
      throw failure(`Port ${port} of this machine is for root only.`, {
        next: `choose another: PORT:${port + 10_000}`,
        cause: error,
      });
    throw error;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
