/**
 * One WebSocket of an agent or a gateway, as typed messages. What cannot be understood ends this connection alone, and
 * a peer that sends faster than it is heard, or does not read what it is sent, costs no more than the bounds here.
 */
import { on } from 'node:events';
import type { WebSocket } from 'ws';
import {
  maxPeerMessageBytes,
  peerToServer,
  type PeerToServer,
  type ServerToPeer,
} from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';
import { endPingFloods } from '../end-ping-floods.ts';
import { createBudget } from '../../lib/budget.ts';

/** Messages that wait to be heard: above the first the socket is not read, until there are fewer than the second. */
const waiting = { highWaterMark: 4, lowWaterMark: 2 };
/** The two of a stranger are short. */
const handshake = { messages: 2, maxBytes: 16 * 1024 };
/** A node of a thousand workspaces that reports them all does not wait. */
const budgetOfPeer = { most: 2_000, perSecond: 200 };
/** One for each message and each 4 KiB of it; more for those that are written to the disk each time, and come seldom. */
const cost = { message: 1, writtenMessage: 20, bytesOfOne: 4_096 };
/** A peer that leaves this much unread is broken: the commands of a thousand workspaces are less. */
const maxUnreadBytes = 32 * 2 ** 20;
/** What the protocol nests, twice over. */
const maxDepth = 16;
/** How long a peer may take to read why it is sent away. */
const lingerMs = 1_000;

/** Close codes of RFC 6455, section 7.4. */
const policyViolation = 1008;

export type PeerConnection = {
  /** Ends when the connection does. @throws invalid_request for what is not a message of the protocol */
  readonly messages: AsyncIterator<PeerToServer> & AsyncIterable<PeerToServer>;
  readonly isOpen: boolean;
  send(message: ServerToPeer): void;
  /** Says why and closes; `reason` is at most 120 bytes. Nothing is heard any more, and soon it is gone in any case. */
  close(reason: string): void;
  terminate(): void;
};

/** Must be called in the same turn in which the socket was accepted: it listens from now on. */
export function peerConnection(socket: WebSocket): PeerConnection {
  const frames = on(socket, 'message', { close: ['close'], ...waiting });
  socket.on('error', () => undefined); // `close` follows, and that is what is acted on
  endPingFloods(socket);
  return {
    messages: parseFrames(frames),
    get isOpen() {
      return socket.readyState === socket.OPEN;
    },
    send(message) {
      if (socket.readyState !== socket.OPEN) return;
      if (socket.bufferedAmount > maxUnreadBytes) socket.terminate();
      else socket.send(JSON.stringify(message));
    },
    close(reason) {
      socket.close(policyViolation, reason);
      // Its answer to the close is read, and what it sends before that is dropped.
      void frames.return?.();
      socket.resume();
      const patience = setTimeout(() => socket.terminate(), lingerMs);
      socket.once('close', () => clearTimeout(patience));
    },
    terminate() {
      socket.terminate();
    },
  };
}

async function* parseFrames(frames: AsyncIterable<unknown[]>): AsyncGenerator<PeerToServer, void, undefined> {
  const budget = createBudget(budgetOfPeer);
  let heard = 0;
  for await (const [data] of frames) {
    const message = parseFrame(data as Buffer, heard < handshake.messages ? handshake.maxBytes : maxPeerMessageBytes);
    heard += 1;
    const isWritten = message.type === 'heartbeat' || message.type === 'listening';
    await budget.spend((isWritten ? cost.writtenMessage : cost.message) + (data as Buffer).length / cost.bytesOfOne);
    yield message;
  }
}

function parseFrame(data: Buffer, maxBytes: number): PeerToServer {
  if (data.length > maxBytes) throw malformed(`it is longer than ${maxBytes} bytes`);
  const value = parseJson(String(data));
  const parsed = nestsDeeper(value, maxDepth) ? undefined : peerToServer.safeParse(value).data;
  if (!parsed) throw malformed('it is not a message of the control protocol');
  return parsed;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** What nests a million times can be read, but not written again. */
function nestsDeeper(value: unknown, depth: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return depth === 0 || Object.values(value).some((inner) => nestsDeeper(inner, depth - 1));
}

function malformed(problem: string): NexusError {
  return new NexusError('invalid_request', { fields: [{ path: 'message', problem }] });
}
