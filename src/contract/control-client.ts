/**
 * A peer's end of the control connection. It is kept up for as long as the client lives: a loss, a refusal that may
 * pass, a server that does not answer are all followed by another try. Only when the server says that this peer may
 * not come in (`refused` with `unauthorized`) does it end for good.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import { createBackoff } from '../lib/backoff.ts';
import type { Identity } from '../lib/identity.ts';
import type { Logger } from '../lib/log.ts';
import { isLoopback } from '../lib/loopback.ts';
import {
  controlPath,
  heartbeatIntervalMs,
  serverToPeer,
  type PeerToServer,
  type ServerToPeer,
  type welcome,
} from './control-protocol.ts';
import { fromBody, NexusError } from './errors.ts';
import { checkChallenge, joinTokenPin, peerHello, peerProof, type ExpectedServer, type Hello } from './handshake.ts';
import type { z } from 'zod';

export type Welcome = z.infer<typeof welcome>;
type Heartbeat = Omit<Extract<PeerToServer, { type: 'heartbeat' }>, 'type'>;

export type ControlOptions = {
  /** The server's base URL; http only for this machine. */
  readonly url: string;
  readonly role: Hello['role'];
  readonly name: string;
  readonly version: string;
  /** `machineId()` of this machine. */
  readonly machine: string;
  readonly identity: Identity;
  /** The key of the server that was joined is kept here (`server-key`). */
  readonly stateDir: string;
  /** Needed until the first welcome. */
  readonly joinToken?: string | undefined;
  onWelcome(welcome: Welcome): void;
  /** Everything after the welcome. */
  onMessage(message: ServerToPeer): void;
  /** The connection was lost, or a try failed; for people. */
  onDown(reason: string): void;
  readonly log: Logger;
  /** What a heartbeat carries. */
  heartbeat(): Heartbeat;
  /** How often heartbeats and pings are sent; for tests. */
  readonly intervalMs?: number;
};

export type ControlClient = {
  readonly connected: boolean;
  /** False (and nothing is sent) while there is no connection. */
  send(message: PeerToServer): boolean;
  /** Settles when the client has ended: with null after a dispose, or with why the server keeps this peer out. */
  readonly ended: Promise<NexusError | null>;
  [Symbol.asyncDispose](): Promise<void>;
};

const handshakeTimeoutMs = 10_000;
/** A connection that lived this long counts as one that worked. */
const settledAfterMs = 5_000;
const maxMessageBytes = 16 * 2 ** 20;

/** @throws unauthorized when `url` or the join token cannot be used at all */
export function connectControl(options: ControlOptions): ControlClient {
  const endpoint = controlUrl(options.url);
  if (options.joinToken !== undefined) joinTokenPin(options.joinToken);
  const stopping = new AbortController();
  let open: WebSocket | null = null;

  async function keepConnected(): Promise<NexusError | null> {
    const backoff = createBackoff({ firstMs: 100, maxMs: 5_000 });
    let { joinToken } = options;
    while (!stopping.signal.aborted) {
      const startedAt = performance.now();
      const loss = await holdConnection(endpoint, { ...options, joinToken }, stopping.signal, (socket) => {
        open = socket;
        joinToken = undefined;
      });
      open = null;
      if (stopping.signal.aborted) break;
      options.onDown(loss.reason);
      if (loss.refusal) return loss.refusal;
      if (performance.now() - startedAt > settledAfterMs) backoff.reset();
      await sleep(backoff.next(), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
    return null;
  }
  const ended = keepConnected();

  return {
    get connected() {
      return open !== null;
    },
    send(message) {
      if (open?.readyState !== WebSocket.OPEN) return false;
      open.send(JSON.stringify(message));
      return true;
    },
    ended,
    async [Symbol.asyncDispose]() {
      stopping.abort();
      await ended;
    },
  };
}

type Loss = { readonly reason: string; readonly refusal?: NexusError };

/** One connection, from the dial to its loss. */
async function holdConnection(
  endpoint: string,
  options: ControlOptions,
  signal: AbortSignal,
  onOpen: (socket: WebSocket) => void,
): Promise<Loss> {
  const expected = await expectedServer(options).catch((error: NexusError) => error);
  if (expected instanceof Error) return { reason: expected.message };
  const { identity, log } = options;
  const hello = peerHello(identity, options);
  const lost = Promise.withResolvers<Loss>();
  const socket = new WebSocket(endpoint, { maxPayload: maxMessageBytes, handshakeTimeout: handshakeTimeoutMs });
  let serverKey: string | null = null;
  let welcomed = false;
  let stopHeartbeats = (): void => undefined;
  const deadline = setTimeout(
    () => lost.resolve({ reason: 'the server did not answer the handshake' }),
    handshakeTimeoutMs,
  );
  const onAbort = (): void => lost.resolve({ reason: 'stopping' });

  async function handshakeMessage(message: ServerToPeer): Promise<void> {
    if (message.type === 'refused') {
      const refusal = fromBody(message.error);
      lost.resolve({ reason: refusal.message, ...(refusal.code === 'unauthorized' ? { refusal } : {}) });
    } else if (message.type === 'challenge' && serverKey === null) {
      checkChallenge(hello, message, expected as ExpectedServer);
      serverKey = message.public_key;
      socket.send(JSON.stringify(peerProof(identity, hello, message)));
    } else if (message.type === 'welcome' && serverKey !== null) {
      clearTimeout(deadline);
      welcomed = true;
      onOpen(socket);
      stopHeartbeats = sendHeartbeats(socket, options, () => lost.resolve({ reason: 'the server stopped answering' }));
      await writeFileAtomic(keyFile(options.stateDir), `${serverKey}\n`, { mode: 0o600 });
      options.onWelcome(message);
    } else {
      throw new NexusError('unauthorized', { reason: `the server sent ${message.type} out of turn` });
    }
  }

  // One after the other: the messages behind a welcome wait until it is dealt with.
  let inTurn = Promise.resolve();
  function onText(text: string): void {
    inTurn = inTurn
      .then(async () => {
        const message = parseMessage(text);
        if (message === null) return log.warn('the server sent a message that this version does not know');
        if (welcomed) return options.onMessage(message);
        await handshakeMessage(message);
      })
      .catch((cause: unknown) => {
        log.error({ err: cause }, 'a control message could not be dealt with');
        if (!welcomed) lost.resolve({ reason: cause instanceof Error ? cause.message : String(cause) });
      });
  }

  signal.addEventListener('abort', onAbort);
  if (signal.aborted) onAbort();
  socket.on('open', () => socket.send(JSON.stringify(hello)));
  socket.on('message', (data) => onText((data as Buffer).toString('utf8')));
  socket.on('error', (error) => lost.resolve({ reason: `the server cannot be reached: ${error.message}` }));
  socket.on('close', () => lost.resolve({ reason: 'the server closed the connection' }));
  try {
    return await lost.promise;
  } finally {
    clearTimeout(deadline);
    stopHeartbeats();
    signal.removeEventListener('abort', onAbort);
    socket.terminate();
  }
}

/** Sends a heartbeat now and at every interval; a server that lets two pings go unanswered is not there any more. */
function sendHeartbeats(socket: WebSocket, options: ControlOptions, onSilence: () => void): () => void {
  const { intervalMs = heartbeatIntervalMs } = options;
  let unanswered = 0;
  socket.on('pong', () => {
    unanswered = 0;
  });
  function beat(): void {
    if (socket.readyState !== WebSocket.OPEN) return;
    if (unanswered >= 2) return onSilence();
    unanswered += 1;
    socket.ping();
    socket.send(JSON.stringify({ type: 'heartbeat', ...options.heartbeat() } satisfies PeerToServer));
  }
  const timer = setInterval(beat, intervalMs);
  beat();
  return () => clearInterval(timer);
}

function parseMessage(text: string): ServerToPeer | null {
  try {
    return serverToPeer.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}

/** A join token is newer than what was pinned before it: it may name another server. */
async function expectedServer(options: ControlOptions): Promise<ExpectedServer> {
  if (options.joinToken !== undefined) return { fingerprint: joinTokenPin(options.joinToken) };
  const pinned = await readFile(keyFile(options.stateDir), 'utf8').catch(() => '');
  if (pinned.trim()) return { publicKey: pinned.trim() };
  throw new NexusError('unauthorized', {
    reason: `${options.name} has not joined a server yet, and has no join token`,
  });
}

function keyFile(stateDir: string): string {
  return join(stateDir, 'server-key');
}

function controlUrl(base: string): string {
  const url = new URL(controlPath, base);
  if (url.protocol === 'https:') url.protocol = 'wss:';
  else if (url.protocol === 'http:' && isLoopback(url.hostname)) url.protocol = 'ws:';
  else {
    const reason = `${base} is on another machine: the control connection needs https there`;
    throw new NexusError('unauthorized', { reason });
  }
  return url.href;
}
