/** More than anybody has a use for, and as fast as it goes. Each resolves when its connection is closed, or all was sent. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { foreignWorkspace } from './control-scripts.ts';
import { shakeHands, type Attacker } from './hostile-peer.ts';
import { frameBytes, opcodes, textFrame } from './web-socket-frames.ts';

type Flood = (attacker: Attacker, bytes: number) => Promise<void>;

const ping = frameBytes({ opcode: opcodes.ping, payload: Buffer.alloc(125, 1) });
const tiny = frameBytes({ opcode: opcodes.continuation, fin: false, payload: Buffer.from('x') });
const large = textFrame('x'.repeat(1_000_000));
const heartbeat = textFrame({ type: 'heartbeat', connections: 1 });
const instances = textFrame({ type: 'instances', instances: [{ workspace_id: foreignWorkspace, state: 'running' }] });
const answer = textFrame({
  type: 'answer',
  id: 'op-000000000000',
  ok: false,
  error: { error: 'hook_failed', message: 'no', details: {}, hint: null },
});

export const floods: Readonly<Record<string, Flood>> = {
  /** Refused by its first message, it goes on while the close is under way. */
  'after a refusal': (attacker, bytes) => flood(attacker, { stage: 'dialled', first: textFrame('{'), bytes }, large),
  'pings of a stranger that never reads': (attacker, bytes) => flood(attacker, { stage: 'dialled', bytes }, ping),
  'pings of a peer that never reads': (attacker, bytes) => flood(attacker, { stage: 'joined', bytes }, ping),
  'fragments of a byte': (attacker, bytes) =>
    flood(
      attacker,
      { stage: 'dialled', first: frameBytes({ opcode: 1, fin: false, payload: Buffer.from('"') }), bytes },
      tiny,
    ),
  heartbeats: (attacker, bytes) => flood(attacker, { stage: 'joined', bytes }, heartbeat),
  'news of instances': (attacker, bytes) => flood(attacker, { stage: 'joined', bytes }, instances),
  'answers to nothing': (attacker, bytes) => flood(attacker, { stage: 'joined', bytes }, answer),
};

type How = { readonly stage: 'dialled' | 'joined'; readonly first?: Buffer; readonly bytes: number };

async function flood(attacker: Attacker, { stage, first, bytes }: How, frame: Buffer): Promise<void> {
  const socket = await shakeHands(attacker, stage);
  socket.pause();
  if (first) socket.write(first);
  const chunk = Buffer.concat(Array.from({ length: Math.max(1, Math.floor(65_536 / frame.length)) }, () => frame));
  const until = performance.now() + longestMs;
  for (let sent = 0; sent < bytes && socket.writable && performance.now() < until; sent += chunk.length) {
    if (!socket.write(chunk)) await drained(socket, until - performance.now());
  }
  socket.destroy();
}

/** A server that takes no more is left alone when the time is up. */
async function drained(socket: Socket, withinMs: number): Promise<void> {
  const settled = new AbortController();
  const timer = setTimeout(() => settled.abort(), Math.max(1, withinMs));
  const { signal } = settled;
  await Promise.race([once(socket, 'drain', { signal }), once(socket, 'close', { signal })]).catch(() => undefined);
  clearTimeout(timer);
  settled.abort();
}

const longestMs = 3_000;
