/** Proofs of the stream handshake (stream-protocol.ts): each side shows that it has the key without sending it. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import type { streamProof } from './stream-protocol.ts';

export type StreamProof = z.infer<typeof streamProof>;
/** What a peer wants: to park a connection of a node, or to open a stream to it. */
export type StreamIntent = Pick<StreamProof, 'park' | 'open' | 'as'>;

export function newStreamNonce(): string {
  return randomBytes(32).toString('base64');
}

export function newStreamKey(): string {
  return randomBytes(32).toString('base64');
}

/** The MAC covers what is asked for, so that a proof to park cannot be turned into one to open. */
export function streamMac(
  key: string,
  side: 'peer' | 'gateway',
  exchange: { readonly intent: StreamIntent; readonly gatewayNonce: string; readonly peerNonce: string },
): string {
  const { intent, gatewayNonce, peerNonce } = exchange;
  const parts = [side, gatewayNonce, peerNonce, intent.as, intent.park ?? null, intent.open ?? null];
  return createHmac('sha256', Buffer.from(key, 'base64')).update(JSON.stringify(parts)).digest('base64');
}

export function sameMac(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
