import type { EventEmitter } from 'node:events';
import type { Duplex, Readable, Writable } from 'node:stream';
import { pathOf } from '../../contract/api-client.ts';
import type { Client } from '../../contract/api-client.ts';
import { webSockets } from '../../contract/web-sockets.ts';
import { streamOfSocket } from '../server/socket-stream.ts';

export type TunnelTarget = { readonly workspaceId: string; readonly port: number };

/** The close code of a WebSocket whose connection broke off (RFC 6455, 7.1.5). */
const brokeOff = 1006;

/**
 * A connection to a port inside, through the server's HTTP port. A stopped workspace is started first. That it broke
 * off looks like its end; whoever must know is told by `onBreak`.
 */
export async function openTunnel(
  client: Client,
  target: TunnelTarget,
  options: { signal: AbortSignal; onBreak?: () => void },
): Promise<Duplex> {
  const path = pathOf(webSockets.tunnel, { id: target.workspaceId });
  const socket = await client.openWebSocket(path, { port: target.port }, { signal: options.signal });
  socket.once('close', (code) => {
    if (code === brokeOff) options.onBreak?.();
  });
  return streamOfSocket(socket);
}

/** How long the answer to a connection whose client has said all is waited for. */
const defaultLingerMs = 5000;

/**
 * Joins both ends until the tunnel ends. A WebSocket cannot be closed in one direction, so after the local end has
 * said all, the tunnel is kept while answers come.
 */
export async function joinStreams(
  local: { readonly input: Readable; readonly output: Writable },
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
  if (input.readableEnded) onInputEnd();
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
    for (const stream of [input, output] as EventEmitter[]) {
      stream.off('error', ended.resolve);
      if (!stream.listeners('error').includes(ignore)) stream.on('error', ignore);
    }
    tunnel.off('data', lingerOn);
    clearTimeout(linger);
    input.unpipe(tunnel);
    tunnel.destroy();
  }
}

function ignore(): void {
  // What could still fail has nobody left whom it would concern.
}
