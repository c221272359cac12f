/**
 * A port of this machine's loopback that leads into a workspace. It outlives the server and the network: each
 * connection has a tunnel of its own, and those that come while there is no way wait for it.
 */
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { finished } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { ServerUnreachable } from '../../contract/api-client.ts';
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import { createBackoff } from '../../lib/backoff.ts';
import { CliError, failure } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { answeredSoon, endlessPatience, isPassing, persist } from './follow-events.ts';
import { holdInput } from './hold-input.ts';
import { joinStreams, openTunnel } from './tunnel.ts';
import type { TunnelTarget } from './tunnel.ts';

export type PortForward = {
  readonly localPort: number;
  /** Ends when the listener is closed. @throws not_found when there is no such workspace any more */
  readonly closed: Promise<void>;
};

export type ForwardOptions = TunnelTarget & {
  /** 0: any that is free. */
  readonly localPort: number;
  /** The command line that takes another port of this machine. */
  readonly elsewhere: string;
  readonly signal: AbortSignal;
  /** One connection failed. */
  readonly onProblem: (error: unknown) => void;
  /** There is no way into the workspace: told once, until it is back. */
  readonly onAway: (error: unknown) => void;
  readonly onBack: () => void;
};

/** @throws CliError when the port of this machine is taken, or needs root */
export async function forwardPort(client: Client, options: ForwardOptions): Promise<PortForward> {
  const gone = new AbortController();
  const signal = AbortSignal.any([options.signal, gone.signal]);
  const line = watchLine(client, { ...options, signal });
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    serve(socket, { client, line, target: options, signal }).catch((error: unknown) => {
      if (signal.aborted) return;
      if (error instanceof NexusError && error.code === 'not_found') gone.abort(error);
      else options.onProblem(error);
    });
  });
  await listen(server, options.localPort, options.elsewhere);
  const closed = once(server, 'close').then(() => {
    if (gone.signal.aborted) throw gone.signal.reason as Error;
  });
  const close = (): void => {
    server.close();
    for (const socket of sockets) socket.destroy();
  };
  signal.addEventListener('abort', close, { once: true });
  return { localPort: portOf(server), closed };
}

type Line = {
  /** A tunnel could not be opened, for a reason that may pass. */
  failed(error: unknown): void;
  /** A tunnel broke off, which may be the server's end or that of what listens in the workspace. */
  broke(): void;
  works(): void;
};

/** Tells once that there is no way, and once that it is back; while the server is away it is asked until it answers. */
function watchLine(
  client: Client,
  { signal, onAway, onBack }: Pick<ForwardOptions, 'signal' | 'onAway' | 'onBack'>,
): Line {
  let isAway = false;
  let isAsking = false;
  const away = (error: unknown): void => {
    if (!isAway) onAway(error);
    isAway = true;
  };
  const works = (): void => {
    if (isAway) onBack();
    isAway = false;
  };
  async function ask(): Promise<void> {
    if (isAsking) return;
    isAsking = true;
    try {
      const retry = { signal, patience: endlessPatience, onAway: away };
      const health = (): Promise<unknown> =>
        answeredSoon(client, signal, (limited) => client.call('getHealth', { signal: limited }));
      await persist(health, retry).then(works);
    } catch {
      // Whatever else it answers, the next connection is told.
    } finally {
      isAsking = false;
    }
  }
  return {
    failed(error) {
      away(error);
      if (error instanceof ServerUnreachable) void ask();
    },
    broke: () => void ask(),
    works,
  };
}

/** What a node that has just come back says for a while. */
const passingErrors: readonly ErrorCode[] = ['node_unreachable', 'provider_unavailable'];

function mayPass(error: unknown): boolean {
  return isPassing(error) || (error instanceof NexusError && passingErrors.includes(error.code));
}

type Served = {
  readonly client: Client;
  readonly line: Line;
  readonly target: TunnelTarget;
  readonly signal: AbortSignal;
};

async function serve(socket: Socket, { client, line, target, signal }: Served): Promise<void> {
  const left = new AbortController();
  socket.once('close', () => left.abort());
  const ended = AbortSignal.any([signal, left.signal]);
  const backoff = createBackoff(endlessPatience.backoff);
  const held = holdInput(socket);
  async function carry(): Promise<void> {
    const tunnel = await openTunnel(client, target, { signal: ended, onBreak: () => line.broke() });
    tunnel.once('data', () => {
      line.works();
      held.forget();
    });
    held.sayAgain(tunnel);
    await joinStreams({ input: socket, output: socket }, tunnel);
  }
  try {
    for (;;) {
      try {
        await carry();
        return await endSoftly(socket, ended);
      } catch (error) {
        if (!mayPass(error) || !held.isWhole()) throw error;
        line.failed(error);
      }
      await delay(backoff.next(), undefined, { signal: ended });
    }
  } catch (error) {
    if (!left.signal.aborted) throw error;
  } finally {
    socket.destroy();
  }
}

const lingerMs = 5000;

/** What came last still gets to a slow reader; one that keeps its own end open is not waited for. */
async function endSoftly(socket: Socket, signal: AbortSignal): Promise<void> {
  socket.end();
  socket.resume();
  await finished(socket, { readable: false, signal }).catch(() => undefined);
  if (!socket.closed)
    await once(socket, 'close', { signal: AbortSignal.any([signal, AbortSignal.timeout(lingerMs)]) }).catch(
      () => undefined,
    );
}

async function listen(server: Server, port: number, elsewhere: string): Promise<void> {
  server.listen(port, '127.0.0.1');
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE')
      throw new CliError(`Port ${port} of this machine is in use by another process.`, {
        exitCode: exitCodes.conflict,
        next: elsewhere,
        cause: error,
      });
    if (code === 'EACCES')
      throw failure(`Port ${port} of this machine is for root only.`, {
        next: elsewhere,
        cause: error,
      });
    throw error;
  }
}

function portOf(server: Server): number {
  const address = server.address();
  return typeof address === 'object' && address !== null ? address.port : 0;
}
