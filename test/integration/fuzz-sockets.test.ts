/** The API's WebSockets and event streams with clients that break the protocol, or never read. */
import assert from 'node:assert/strict';
import { connect, type Socket } from 'node:net';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import * as fc from 'fast-check';
import { apiBase } from '../../src/contract/api.ts';
import { pipeAsFrames } from '../../src/contract/exec-frames.ts';
import { execFrame } from '../../src/contract/stream-protocol.ts';
import { appendEvent } from '../../src/server/store/events.ts';
import { brokenFrames } from '../fuzz-wire/control-scripts.ts';
import { dialWebSocket, frameBytes, opcodes } from '../fuzz-wire/web-socket-frames.ts';
import { createApiWorld, type ApiWorld } from '../support/api-world.ts';
import { answerStreams, runFakeCommand } from '../support/fake-workspace.ts';
import { socketPair } from '../support/socket-pair.ts';
import { Readable } from 'node:stream';

const seed = 20_260_117;
const authorization = { Authorization: 'Bearer token-alice' };

async function worldWithWorkspace() {
  const world = await createApiWorld({ heartbeatMs: 20 });
  const body = { workspace_name: 'w', repo: { owner: 'o', name: 'r' } };
  const id = (await world.client().call('createWorkspace', { body })).workspace_id;
  await world.settle(id);
  return { world, id, port: Number(new URL(world.baseUrl).port) };
}

function dialExec(port: number, id: string): Promise<Socket> {
  return dialWebSocket(port, `${apiBase}/workspaces/${id}/exec?command=cat`, authorization);
}

function untilClosed(socket: Socket): Promise<void> {
  if (socket.readableEnded) socket.end();
  else socket.resume().once('end', () => socket.end());
  return socket.closed ? Promise.resolve() : new Promise((resolve) => socket.once('close', () => resolve()));
}

function failuresOf(world: ApiWorld): unknown[] {
  return world.logged.filter(({ level }) => Number(level) >= 50);
}

test('broken frames end their own terminal alone', async () => {
  const { world, id, port } = await worldWithWorkspace();
  await using _world = world;
  world.openStream = answerStreams([], (request) => {
    assert.ok(request.kind === 'exec');
    return runFakeCommand(request);
  });
  const neighbour = await dialExec(port, id);
  const scripts = fc.array(fc.tuple(brokenFrames, fc.boolean()), { minLength: 1, maxLength: 6 });
  await fc.assert(
    fc.asyncProperty(scripts, async (frames) => {
      const socket = await dialExec(port, id);
      for (const [bytes, isWaitedFor] of frames) {
        if (!socket.writable) break;
        socket.write(bytes);
        if (isWaitedFor) await turn();
      }
      // What was still in order is ended by a frame that no client sends.
      if (socket.writable) socket.write(Buffer.from([0xff, 0xff, 0xff]));
      socket.end();
      await untilClosed(socket);
    }),
    { seed, numRuns: 150 },
  );
  assert.equal(neighbour.readyState, 'open');
  neighbour.destroy();
  assert.deepEqual(failuresOf(world), []);
});

test('a terminal that nobody reads holds its command up, and one that only pings is cut off', async () => {
  const { world, id, port } = await worldWithWorkspace();
  await using _world = world;
  let produced = 0;
  world.openStream = async () => {
    const [near, far] = await socketPair();
    async function* output(): AsyncGenerator<Buffer> {
      for (;;) {
        produced += 65_536;
        yield Buffer.alloc(65_536, 1);
      }
    }
    void pipeAsFrames(Readable.from(output()), execFrame.stdout, far).catch(() => undefined);
    return near;
  };
  const silent = await dialExec(port, id);
  // As many turns as nothing moves in are enough: whoever could go on would have.
  for (let still = 0, before = -1; still < 2_000; still += 1) {
    if (produced !== before) still = 0;
    before = produced;
    await turn();
  }
  assert.ok(produced < 64 * 2 ** 20, `${produced} bytes without a reader`);
  const ping = frameBytes({ opcode: opcodes.ping, payload: Buffer.alloc(125) });
  const pings = Buffer.concat(Array.from({ length: 500 }, () => ping));
  const closed = new Promise<void>((resolve) => silent.once('close', () => resolve()));
  while (silent.writable) {
    const taken = new Promise<void>((resolve) => silent.write(pings, () => resolve()));
    await Promise.race([taken, closed]);
  }
  await closed;
});

test('a reader of events that never reads is cut off, and what it missed is kept', async () => {
  const { world, id, port } = await worldWithWorkspace();
  await using _world = world;
  await world.store.transaction(async (tx) => {
    for (let count = 0; count < 400; count += 1)
      await appendEvent(tx, { workspace_id: id, type: 'progress', data: { line: 'x'.repeat(100_000) } });
  });
  const cutOff = new Promise<void>((resolve) => {
    world.app.server.once('connection', (serverEnd) => serverEnd.once('close', () => resolve()));
  });
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  socket.write(
    `GET ${apiBase}/workspaces/${id}/events?last_event_id=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-alice\r\n\r\n`,
  );
  await cutOff;
  socket.destroy();
  assert.deepEqual(failuresOf(world), []);
});
