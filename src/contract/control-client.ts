/**
 * A peer's end of the control connection. It is kept up for as long as the client lives: a loss, a refusal that may
 * pass, a server that does not answer are all followed by another try. Only when the server says that this peer may
 * not come in (`refused` with `unauthorized`) does it end for good.
 */
import { on, once } from 'node:events';
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
import { fitMessage } from './fit-message.ts';
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

/** @throws invalid_request when `url` or the join token cannot be used at all */
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
      sendTo(open, message, options.log);
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
  stopping: AbortSignal,
  onOpen: (socket: WebSocket) => void,
): Promise<Loss> {
  const gone = new AbortController();
  function giveUp(reason: string): void {
    gone.abort(new Error(reason));
  }
  const onStop = (): void => giveUp('this side is stopping');
  stopping.addEventListener('abort', onStop);
  const deadline = setTimeout(() => giveUp('the server did not answer the handshake'), handshakeTimeoutMs);
  let socket: WebSocket | null = null;
  let heartbeats: NodeJS.Timeout | undefined;
  try {
    const expected = await expectedServer(options);
    socket = new WebSocket(endpoint, { maxPayload: maxMessageBytes, perMessageDeflate: false });
    const messages = messagesOf(socket, gone.signal);
    await once(socket, 'open', { signal: gone.signal });
    const { welcome, serverKey } = await shakeHands(socket, messages, options, expected);
    clearTimeout(deadline);
    await writeFileAtomic(keyFile(options.stateDir), `${serverKey}\n`, { mode: 0o600 });
    onOpen(socket);
    heartbeats = startHeartbeats(socket, options, () => giveUp('the server stopped answering'));
    options.onWelcome(welcome);
    for await (const message of messages) deliver(message, options);
    return { reason: 'the server closed the connection' };
  } catch (error) {
    const cause: unknown = gone.signal.aborted ? gone.signal.reason : error;
    const reason = cause instanceof Error ? cause.message : String(cause);
    return cause instanceof Refusal && cause.error.code === 'unauthorized'
      ? { reason, refusal: cause.error }
      : { reason };
  } finally {
    clearTimeout(deadline);
    clearInterval(heartbeats);
    stopping.removeEventListener('abort', onStop);
    closeNow(socket);
  }
}

/** This peer may not come in; another error means that this side is not content with the server. */
class Refusal extends Error {
  readonly error: NexusError;

  constructor(error: NexusError) {
    super(error.message);
    this.name = 'Refusal';
    this.error = error;
  }
}

async function shakeHands(
  socket: WebSocket,
  messages: AsyncIterator<ServerToPeer>,
  options: ControlOptions,
  expected: ExpectedServer,
): Promise<{ welcome: Welcome; serverKey: string }> {
  const { identity } = options;
  async function receive<T extends ServerToPeer['type']>(type: T): Promise<Extract<ServerToPeer, { type: T }>> {
    const { value: message, done } = await messages.next();
    if (done) throw new Error('the server closed the connection during the handshake');
    if (message.type === 'refused') throw new Refusal(fromBody(message.error));
    if (message.type !== type) throw new Error(`the server sent ${message.type} in place of ${type}`);
    return message as Extract<ServerToPeer, { type: T }>;
  }
  const hello = peerHello(identity, options);
  sendTo(socket, hello, options.log);
  const challenge = await receive('challenge');
  checkChallenge(hello, challenge, expected);
  sendTo(socket, peerProof(identity, { hello, challenge, joinToken: options.joinToken }), options.log);
  return { welcome: await receive('welcome'), serverKey: challenge.public_key };
}

/** What cannot be understood is from a newer server and no reason to lose the connection. */
function messagesOf(socket: WebSocket, signal: AbortSignal): AsyncGenerator<ServerToPeer, void, undefined> {
  const received = on(socket, 'message', { close: ['close'], signal });
  async function* understood(): AsyncGenerator<ServerToPeer, void, undefined> {
    for await (const [data] of received) {
      const message = parseMessage(String(data));
      if (message !== null) yield message;
    }
  }
  return understood();
}

function deliver(message: ServerToPeer, options: ControlOptions): void {
  try {
    options.onMessage(message);
  } catch (error) {
    options.log.error({ err: error, type: message.type }, 'a message of the server could not be dealt with');
  }
}

/** What the server would not take is not sent: it would end the connection. */
function sendTo(socket: WebSocket, message: PeerToServer, log: Logger): void {
  const json = fitMessage(message);
  if (json === null) log.error({ type: message.type }, 'a message for the server makes no sense and is left out');
  else socket.send(json);
}

function closeNow(socket: WebSocket | null): void {
  socket?.on('error', () => undefined); // ending a connection that is being made is an error to `ws`
  socket?.terminate();
}

/** Sends a heartbeat now and at every interval; a server that lets two pings go unanswered is not there any more. */
function startHeartbeats(socket: WebSocket, options: ControlOptions, onSilence: () => void): NodeJS.Timeout {
  const { intervalMs = heartbeatIntervalMs } = options;
  let unanswered = 0;
  socket.on('pong', () => {
    unanswered = 0;
  });
  function beat(): void {
    if (unanswered >= 2) return onSilence();
    unanswered += 1;
    socket.ping();
    sendTo(socket, { type: 'heartbeat', ...options.heartbeat() }, options.log);
  }
  beat();
  return setInterval(beat, intervalMs);
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
  const reason = `${options.name} has not joined a server yet, and has no join token`;
  throw new Refusal(new NexusError('unauthorized', { reason }));
}

function keyFile(stateDir: string): string {
  return join(stateDir, 'server-key');
}

function controlUrl(base: string): string {
  const url = new URL(controlPath, base);
  if (url.protocol === 'https:') url.protocol = 'wss:';
  else if (url.protocol === 'http:' && isLoopback(url.hostname)) url.protocol = 'ws:';
  else {
    const problem = `must be https, for ${url.host} is another machine`;
    throw new NexusError('invalid_request', { fields: [{ path: 'server', problem }] });
  }
  return url.href;
}
