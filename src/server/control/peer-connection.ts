/** One WebSocket of an agent or a gateway, as typed messages. What cannot be understood ends this connection alone. */
import { on } from 'node:events';
import type { WebSocket } from 'ws';
import { peerToServer, type PeerToServer, type ServerToPeer } from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';

/** A configuration with 50 services of the longest commands is below 1 MiB. */
const maxMessageBytes = 4 * 2 ** 20;

/** Close codes of RFC 6455, section 7.4. */
const policyViolation = 1008;

export type PeerConnection = {
  /** Ends when the connection does. @throws invalid_request for what is not a message of the protocol */
  readonly messages: AsyncIterator<PeerToServer> & AsyncIterable<PeerToServer>;
  readonly isOpen: boolean;
  send(message: ServerToPeer): void;
  /** Says why and closes; `reason` is at most 120 bytes. */
  close(reason: string): void;
  terminate(): void;
};

/** Must be called in the same turn in which the socket was accepted: it listens from now on. */
export function peerConnection(socket: WebSocket): PeerConnection {
  const frames = on(socket, 'message', { close: ['close'] });
  socket.on('error', () => undefined); // `close` follows, and that is what is acted on
  return {
    messages: parseFrames(frames),
    get isOpen() {
      return socket.readyState === socket.OPEN;
    },
    send(message) {
      if (socket.readyState === socket.OPEN) socket.send(JSON.stringify(message));
    },
    close(reason) {
      socket.close(policyViolation, reason);
    },
    terminate() {
      socket.terminate();
    },
  };
}

async function* parseFrames(frames: AsyncIterable<unknown[]>): AsyncGenerator<PeerToServer, void, undefined> {
  for await (const [data] of frames) yield parseFrame(data as Buffer);
}

function parseFrame(data: Buffer): PeerToServer {
  if (data.length > maxMessageBytes) throw malformed(`it is longer than ${maxMessageBytes} bytes`);
  const parsed = peerToServer.safeParse(parseJson(String(data)));
  if (!parsed.success) throw malformed('it is not a message of the control protocol');
  return parsed.data;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function malformed(problem: string): NexusError {
  return new NexusError('invalid_request', { fields: [{ path: 'message', problem }] });
}
