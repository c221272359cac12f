/** One connection to the control endpoint that goes as far in the handshake as it is told, and then plays its script. */
import { setImmediate } from 'node:timers/promises';
import type { Socket } from 'node:net';
import { controlPath, serverToPeer, type ServerToPeer } from '../../src/contract/control-protocol.ts';
import { peerHello, peerProof } from '../../src/contract/handshake.ts';
import type { Identity } from '../../src/lib/identity.ts';
import { foreignWorkspace, type Script, type Stage, type Step } from './control-scripts.ts';
import { dialWebSocket, textFrame, textMessages } from './web-socket-frames.ts';

export type Attacker = {
  readonly port: number;
  readonly identity: Identity;
  readonly name: string;
  readonly role: 'agent' | 'gateway';
  readonly joinToken?: string;
  /** Of somebody else, on another node. */
  readonly workspaceId: string;
};

/** The connection is handed out while nothing is read from it. */
export async function shakeHands(attacker: Attacker, stage: Stage): Promise<Socket> {
  const { port, identity, name, role, joinToken } = attacker;
  const socket = await dialWebSocket(port, controlPath);
  if (stage === 'dialled') return socket;
  const messages = textMessages(socket);
  const next = async (): Promise<ServerToPeer | null> => {
    const { value, done } = await messages.next();
    return done ? null : (serverToPeer.safeParse(JSON.parse(value)).data ?? null);
  };
  const hello = peerHello(identity, { role, name, version: '1', machine: 'machine-2' });
  socket.write(textFrame(hello));
  const challenge = await next();
  if (challenge?.type !== 'challenge') throw new Error(`no challenge but ${JSON.stringify(challenge)}`);
  if (stage === 'challenged') {
    await messages.return();
    return socket;
  }
  socket.write(textFrame(peerProof(identity, { hello, challenge, joinToken })));
  const answer = await next();
  if (answer?.type !== 'welcome') throw new Error(`not let in: ${JSON.stringify(answer)}`);
  await messages.return();
  return socket;
}

/** Resolves when its server has closed the connection; one that has joined leaves by itself after its script. */
export async function play(attacker: Attacker, script: Script): Promise<void> {
  const socket = await shakeHands(attacker, script.stage);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  if (script.reads) socket.on('data', () => undefined);
  for (const step of script.steps) {
    if (socket.destroyed || !socket.writable) break;
    await take(socket, step, attacker);
  }
  if (script.stage === 'joined' || !script.reads) {
    await setImmediate();
    socket.destroy();
  }
  socket.resume();
  if (socket.readableEnded) socket.end();
  else socket.once('end', () => socket.end());
  await closed;
}

async function take(socket: Socket, step: Step, attacker: Attacker): Promise<void> {
  if (step.do === 'end') socket.end();
  else if (step.do === 'reset') socket.resetAndDestroy();
  else if (step.do === 'trickle') {
    for (const byte of step.bytes) {
      if (!socket.writable) return;
      socket.write(Buffer.from([byte]));
      await setImmediate();
    }
  } else if (step.do === 'write') {
    const bytes = aimed(step.bytes, attacker.workspaceId);
    for (let turn = 0; turn < step.times && socket.writable; turn += 1) await written(socket, bytes);
  }
}

/** The texts were masked by four bytes in turn: the id is as long as what it replaces, and stands where that stood. */
function aimed(bytes: Buffer, workspaceId: string): Buffer {
  const mask = [0x12, 0x34, 0x56, 0x78];
  const masked = (text: string, shift: number): Buffer =>
    Buffer.from(Buffer.from(text).map((byte, at) => byte ^ (mask[(at + shift) % 4] ?? 0)));
  const copy = Buffer.from(bytes);
  for (let shift = 0; shift < 4; shift += 1) {
    const [from, to] = [masked(foreignWorkspace, shift), masked(workspaceId, shift)];
    for (let at = copy.indexOf(from); at !== -1; at = copy.indexOf(from, at + from.length)) to.copy(copy, at);
  }
  return copy;
}

/** Writes no faster than it is taken, but does not wait for a server that reads no more. */
function written(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patienceMs);
    const done = (): void => {
      clearTimeout(timer);
      resolve();
    };
    socket.once('close', done);
    socket.write(bytes, () => {
      socket.off('close', done);
      done();
    });
  });
}

const patienceMs = 200;
