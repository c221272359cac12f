/**
 * Opening a stream to a node, and parking connections for others to open. Sockets are handed out with `allowHalfOpen`:
 * whoever takes one ends its side itself (`pipe` does). An error destroys a socket and emits `close`; listening to
 * `error` is not needed.
 */
import net from 'node:net';
import tls from 'node:tls';
import type { z } from 'zod';
import { isLoopback } from '../lib/loopback.ts';
import type { streamTarget } from './control-protocol.ts';
import { withDeadline } from './deadline.ts';
import { fromBody, NexusError, toNexusError } from './errors.ts';
import { readMessage, writeLine } from './json-line.ts';
import { newStreamNonce, sameMac, streamMac, type StreamIntent } from './stream-mac.ts';
import { streamAccepted, streamAnswer, streamGreeting, type StreamRequest } from './stream-protocol.ts';

export type StreamTarget = z.infer<typeof streamTarget>;

/** A peer that vanished is noticed by the kernel after this and ten probes a second apart. */
const waitingKeepAliveMs = 15_000;
/**
 * The same for a stream in use. Hours, so that a session outlives the sleep of the laptop at its other end; not never,
 * so that what is gone for good is noticed. TCP_KEEPIDLE takes at most 32767 s.
 */
const sessionKeepAliveMs = 8 * 3600 * 1000;

/**
 * Opens a stream through the gateway.
 * @param who.as whose key `target.key` is (`server`), `who.node` where the workspace is
 * @throws stream_failed, node_unreachable, timeout, or the agent's error
 */
export async function openStream(
  target: StreamTarget,
  who: { readonly as: string; readonly node: string },
  request: StreamRequest,
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs: number },
): Promise<net.Socket> {
  return withDeadline(options, 'Opening a stream', async (signal) => {
    const socket = await dialGateway(target, { open: who.node, as: who.as }, signal);
    return requestStream(socket, request, signal);
  });
}

/** Sends the request over a connection that leads to an agent; on failure the connection is destroyed. */
export async function requestStream(
  socket: net.Socket,
  request: StreamRequest,
  signal: AbortSignal,
): Promise<net.Socket> {
  try {
    writeLine(socket, request);
    const answer = await readMessage(socket, streamAnswer, { signal });
    if ('error' in answer) throw fromBody(answer.error);
    keepForSession(socket);
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** The agent's answer to a request. An error is the last that is sent. */
export function answerStream(socket: net.Socket, answer: { readonly ok: true } | NexusError): void {
  if (answer instanceof NexusError) turnAway(socket, answer);
  else writeLine(socket, answer);
}

/** How long a peer that was turned away may take to read why. */
const lingerMs = 1_000;

/** Says why and ends; a peer that does not read on, or keeps its side open, is not waited for. */
export function turnAway(socket: net.Socket, error: NexusError): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  writeLine(socket, { error: error.toBody() });
  endSoon(socket);
}

/** Ends this side; what still comes is dropped, and after a moment the socket is closed in any case. */
export function endSoon(socket: net.Socket): void {
  socket.resume();
  socket.end();
  const patience = setTimeout(() => socket.destroy(), lingerMs);
  socket.once('close', () => clearTimeout(patience));
}

/** Connects to the gateway's stream port and proves who asks for what. @throws stream_failed, or the gateway's error */
export async function dialGateway(
  target: StreamTarget,
  intent: StreamIntent,
  signal: AbortSignal,
): Promise<net.Socket> {
  const socket = await dial(target, signal);
  try {
    const { nonce: gatewayNonce } = await readMessage(socket, streamGreeting, { signal });
    const exchange = { intent, gatewayNonce, peerNonce: newStreamNonce() };
    writeLine(socket, { ...intent, nonce: exchange.peerNonce, mac: streamMac(target.key, 'peer', exchange) });
    const accepted = await readMessage(socket, streamAccepted, { signal });
    if ('error' in accepted) throw fromBody(accepted.error);
    if (!sameMac(accepted.mac, streamMac(target.key, 'gateway', exchange))) {
      throw new NexusError('stream_failed', { reason: 'the gateway did not prove its key' });
    }
    return socket;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

/** A connection to the gateway: by TLS where the server named its certificate; without, on this machine only. */
async function dial({ host, port, certificate_sha256 }: StreamTarget, signal: AbortSignal): Promise<net.Socket> {
  if (certificate_sha256 !== undefined) return connectTls({ host, port, certificate_sha256 }, signal);
  if (isLoopback(host)) return connectTcp({ host, port, signal });
  const reason = `the gateway ${host} is on another machine, and its streams are not encrypted`;
  throw new NexusError('stream_failed', { reason });
}

/** The certificate is known by its hash alone: who signed it, for which name and until when does not count. */
async function connectTls(
  { host, port, certificate_sha256 }: Required<Omit<StreamTarget, 'key'>>,
  signal: AbortSignal,
): Promise<net.Socket> {
  // `allowHalfOpen` is documented, and not in its type.
  const options = { host, port, allowHalfOpen: true, minVersion: 'TLSv1.3', rejectUnauthorized: false } as const;
  const socket = tls.connect(options);
  await connected(socket, 'secureConnect', signal);
  if (socket.getPeerCertificate().fingerprint256 === certificate_sha256) return socket;
  socket.destroy();
  throw new NexusError('stream_failed', { reason: `${host} showed another certificate than the gateway's` });
}

/** A TCP connection. @throws stream_failed with the cause */
export function connectTcp(options: { host: string; port: number; signal: AbortSignal }): Promise<net.Socket> {
  const { host, port, signal } = options;
  return connected(net.connect({ host, port, allowHalfOpen: true }), 'connect', signal);
}

/** Resolves when it is, with what every socket of ours has: no delay, keep-alive, half-open. */
function connected(socket: net.Socket, event: 'connect' | 'secureConnect', signal: AbortSignal): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    function onAbort(): void {
      socket.destroy();
      reject(toNexusError(signal.reason));
    }
    function onError(cause: Error): void {
      signal.removeEventListener('abort', onAbort);
      reject(new NexusError('stream_failed', { reason: cause.message }, { cause }));
    }
    if (signal.aborted) return onAbort();
    signal.addEventListener('abort', onAbort);
    socket.once('error', onError);
    socket.once(event, () => {
      signal.removeEventListener('abort', onAbort);
      socket.off('error', onError);
      resolve(prepareSocket(socket));
    });
  });
}

/** No delay, keep-alive, and an error that nobody waits for is no reason to crash. */
export function prepareSocket(socket: net.Socket): net.Socket {
  socket.setNoDelay(true);
  socket.setKeepAlive(true, waitingKeepAliveMs);
  if (!socket.listeners('error').includes(ignore)) socket.on('error', ignore);
  return socket;
}

/** For a connection that carries a session from now on, and may be silent for long. */
export function keepForSession(socket: net.Socket): void {
  socket.setKeepAlive(true, sessionKeepAliveMs);
}

function ignore(): void {
  // `close` follows, and that is what everybody acts on.
}
