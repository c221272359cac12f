/** Keeps connections parked at the gateway's stream port, so that opening a stream to this node costs no dial. */
import type net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
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
  const { node, count = 4, log } = options;
  const disposed = new AbortController();
  let moved = new AbortController();
  let current = JSON.stringify(options.target());
  const parked = new Set<net.Socket>();
  let isFailing = false;

  async function keepOneParked(): Promise<void> {
    const backoff = createBackoff({ firstMs: 100, maxMs: 5_000 });
    while (!disposed.signal.aborted) {
      const here = AbortSignal.any([disposed.signal, moved.signal]);
      const target = options.target();
      if (target === null) {
        await waitFor(here);
        continue;
      }
      const startedAt = performance.now();
      try {
        await parkOnce(target, here, parked, options);
        backoff.reset();
        isFailing = false;
      } catch (error) {
        if (here.aborted) continue;
        const { host, port } = target;
        log[isFailing ? 'debug' : 'warn']({ err: error, node, host, port }, 'streams cannot be parked at the gateway');
        isFailing = true;
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

/** Parks one connection in `parked`; resolves when it was taken. */
async function parkOnce(
  target: StreamTarget,
  here: AbortSignal,
  parked: Set<net.Socket>,
  { node, onStream }: Pick<ParkOptions, 'node' | 'onStream'>,
): Promise<void> {
  const socket = await withDeadline({ signal: here, timeoutMs: handshakeTimeoutMs }, 'Parking a stream', (signal) =>
    dialGateway(target, { park: node, as: node }, signal),
  );
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

function waitFor(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
