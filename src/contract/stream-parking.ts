/** Keeps connections parked at the gateway's stream port, so that opening a stream to this node costs no dial. */
import type net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { aborted } from '../lib/aborted.ts';
import { createBackoff } from '../lib/backoff.ts';
import type { Logger } from '../lib/log.ts';
import { withDeadline } from './deadline.ts';
import { toNexusError } from './errors.ts';
import { readMessage } from './json-line.ts';
import { answerStream, dialGateway, keepForSession, type StreamTarget } from './stream-client.ts';
import { streamRequest, type StreamRequest } from './stream-protocol.ts';

export type ParkOptions = {
  /** Where to park now; null: nowhere yet. */
  target(): StreamTarget | null;
  readonly node: string;
  /** How many connections wait at any time; 4 when absent. */
  readonly count?: number;
  /** Takes the connection over: answers (`answerStream`), then carries the bytes. */
  readonly onStream: (socket: net.Socket, request: StreamRequest) => void;
  readonly log: Logger;
};

export type ParkedStreams = {
  /** The target may have changed: connections that are parked elsewhere are moved; streams under way are not touched. */
  retarget(): void;
  /** How many are parked. */
  readonly parked: number;
  /** Closes what is parked; streams under way belong to whoever took them. */
  [Symbol.asyncDispose](): Promise<void>;
};

const handshakeTimeoutMs = 10_000;
/** A connection that stayed parked this long worked; its loss is no reason to wait long. */
const settledAfterMs = 5_000;

export function parkStreams(options: ParkOptions): ParkedStreams {
  const { count = 4 } = options;
  const dial = createDialing(options);
  const disposed = new AbortController();
  let moved = new AbortController();
  let current = JSON.stringify(options.target());
  const parked = new Set<net.Socket>();

  async function keepOneParked(): Promise<void> {
    const backoff = createBackoff({ firstMs: 100, maxMs: 5_000 });
    while (!disposed.signal.aborted) {
      const here = AbortSignal.any([disposed.signal, moved.signal]);
      const target = options.target();
      if (target === null) {
        await aborted(here);
        continue;
      }
      const startedAt = performance.now();
      try {
        await handOver(await dial(target, here), here, parked, options.onStream);
        backoff.reset();
      } catch {
        if (here.aborted) continue;
        if (performance.now() - startedAt > settledAfterMs) backoff.reset();
        await sleep(backoff.next(), undefined, { signal: here }).catch(() => undefined);
      }
    }
  }

  const slots = Array.from({ length: count }, keepOneParked);

  return {
    get parked() {
      return parked.size;
    },
    retarget() {
      const next = JSON.stringify(options.target());
      if (next === current) return;
      current = next;
      moved.abort();
      moved = new AbortController();
    },
    async [Symbol.asyncDispose]() {
      disposed.abort();
      await Promise.all(slots);
    },
  };
}

/** Dials the gateway to park a connection. That it fails is warned of once, until it works again. */
function createDialing({
  node,
  log,
}: Pick<ParkOptions, 'node' | 'log'>): (target: StreamTarget, here: AbortSignal) => Promise<net.Socket> {
  let isFailing = false;
  return async (target, here) => {
    const { host, port } = target;
    try {
      const socket = await withDeadline({ signal: here, timeoutMs: handshakeTimeoutMs }, 'Parking a stream', (signal) =>
        dialGateway(target, { park: node, as: node }, signal),
      );
      isFailing = false;
      return socket;
    } catch (error) {
      if (here.aborted) throw error;
      log[isFailing ? 'debug' : 'warn']({ err: error, node, host, port }, 'streams cannot be parked at the gateway');
      isFailing = true;
      throw error;
    }
  };
}

/** Keeps the connection in `parked` until it is taken, and resolves then. */
async function handOver(
  socket: net.Socket,
  here: AbortSignal,
  parked: Set<net.Socket>,
  onStream: ParkOptions['onStream'],
): Promise<void> {
  parked.add(socket);
  try {
    const request = await readMessage(socket, streamRequest, { signal: here });
    keepForSession(socket);
    onStream(socket, request);
  } catch (error) {
    if (socket.writable && !here.aborted) answerStream(socket, toNexusError(error));
    else socket.destroy();
    throw error;
  } finally {
    parked.delete(socket);
  }
}
