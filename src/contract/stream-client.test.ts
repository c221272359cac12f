import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import test from 'node:test';
import { silentLog } from '../../test/support/silent-log.ts';
import { NexusError } from './errors.ts';
import { readMessage, writeLine } from './json-line.ts';
import { answerStream, openStream, prepareSocket, type StreamTarget } from './stream-client.ts';
import { newStreamKey, newStreamNonce, streamMac, type StreamProof } from './stream-mac.ts';
import { parkStreams } from './stream-parking.ts';
import { streamAnswer, streamProof } from './stream-protocol.ts';

const key = newStreamKey();
const request = { kind: 'tcp', workspace_id: 'ws-abcdefghijkl', port: 22 } as const;
const who = { as: 'server', node: 'node-1' };
const soon = { timeoutMs: 5_000 };

type StandIn = AsyncDisposable & { readonly target: StreamTarget; readonly sockets: net.Socket[] };

/** A gateway's port whose every connection is dealt with by `serve`. */
async function gatewayPort(
  serve: (socket: net.Socket, proof: StreamProof, gatewayNonce: string) => void,
): Promise<StandIn> {
  const sockets: net.Socket[] = [];
  const server = net.createServer({ allowHalfOpen: true }, (socket) => {
    sockets.push(prepareSocket(socket));
    const nonce = newStreamNonce();
    writeLine(socket, { nonce });
    readMessage(socket, streamProof).then(
      (proof) => serve(socket, proof, nonce),
      () => socket.destroy(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    target: { host: '127.0.0.1', port: (server.address() as net.AddressInfo).port, key },
    sockets,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function accept(socket: net.Socket, proof: StreamProof, gatewayNonce: string): void {
  writeLine(socket, { mac: streamMac(key, 'gateway', { intent: proof, gatewayNonce, peerNonce: proof.nonce }) });
}

test('a gateway that does not prove its key gets no request', async () => {
  const heard: unknown[] = [];
  await using gateway = await gatewayPort((socket, proof, nonce) => {
    const mac = streamMac(key, 'peer', { intent: proof, gatewayNonce: nonce, peerNonce: proof.nonce });
    assert.equal(proof.mac, mac);
    writeLine(socket, { mac }); // the peer's own proof, sent back to it
    socket.on('data', (chunk) => heard.push(chunk));
  });
  await assert.rejects(openStream(gateway.target, who, request, soon), { message: /gateway did not prove its key/ });
  assert.deepEqual(heard, []);
});

test('a gateway that is not there, or on another machine, is an error', async () => {
  const gateway = await gatewayPort(accept);
  await gateway[Symbol.asyncDispose]();
  await assert.rejects(openStream(gateway.target, who, request, soon), {
    code: 'stream_failed',
    message: /ECONNREFUSED/,
  });
  await assert.rejects(openStream({ ...gateway.target, host: '192.0.2.1' }, who, request, soon), {
    code: 'stream_failed',
    message: /192.0.2.1 is on another machine/,
  });
});

test('the caller and the time end an opening', async () => {
  await using gateway = await gatewayPort(accept); // and then never an answer
  await assert.rejects(openStream(gateway.target, who, request, { timeoutMs: 50 }), { code: 'timeout' });
  const caller = new AbortController();
  const opening = openStream(gateway.target, who, request, { ...soon, signal: caller.signal });
  caller.abort(new NexusError('shutting_down', {}));
  await assert.rejects(opening, { code: 'shutting_down' });
  await assert.rejects(openStream(gateway.target, who, request, { ...soon, signal: AbortSignal.abort() }), {
    code: 'internal',
  });
});

test('an agent that goes away before it answers is an error', async () => {
  await using gateway = await gatewayPort((socket, proof, nonce) => {
    accept(socket, proof, nonce);
    socket.end();
  });
  await assert.rejects(openStream(gateway.target, who, request, soon), { code: 'stream_failed', message: /ended/ });
});

test('connections are parked in number, and another for each that is taken', async () => {
  const waiting: net.Socket[] = [];
  const parked = new EventTarget();
  await using gateway = await gatewayPort((socket, proof, nonce) => {
    assert.equal(proof.park, 'node-1');
    accept(socket, proof, nonce);
    waiting.push(socket);
    parked.dispatchEvent(new Event('one'));
  });
  async function untilParked(count: number): Promise<void> {
    while (waiting.length < count) await once(parked, 'one');
  }
  const taken: net.Socket[] = [];
  const agent = parkStreams({
    target: () => gateway.target,
    node: 'node-1',
    count: 2,
    onStream(socket, { kind }) {
      taken.push(socket);
      answerStream(socket, { ok: true });
      socket.end(kind);
    },
    log: silentLog,
  });
  await untilParked(2);
  const first = waiting[0];
  assert.ok(first);
  writeLine(first, request);
  await untilParked(3);
  const answered: Buffer[] = [];
  for await (const chunk of first) answered.push(chunk as Buffer);
  assert.equal(Buffer.concat(answered).toString(), '{"ok":true}\ntcp');

  const second = waiting[1];
  assert.ok(second);
  writeLine(second, { kind: 'no such kind' });
  const refusal = await readMessage(second, streamAnswer);
  assert.ok('error' in refusal && refusal.error.error === 'stream_failed');
  await untilParked(4);
  await agent[Symbol.asyncDispose]();
  assert.equal(agent.parked, 0);
  assert.equal(taken.length, 1);
});

test('parked connections follow their target, and wait when there is none', async () => {
  const places: string[] = [];
  const arrivals = new EventTarget();
  function arrive(place: string) {
    return (socket: net.Socket, proof: StreamProof, nonce: string) => {
      accept(socket, proof, nonce);
      places.push(place);
      arrivals.dispatchEvent(new Event('one'));
    };
  }
  await using old = await gatewayPort(arrive('old'));
  await using next = await gatewayPort(arrive('next'));
  let target: StreamTarget | null = null;
  await using agent = parkStreams({
    target: () => target,
    node: 'node-1',
    count: 1,
    onStream: () => assert.fail('nobody opens a stream here'),
    log: silentLog,
  });
  assert.equal(agent.parked, 0);
  target = old.target;
  agent.retarget();
  await once(arrivals, 'one');
  agent.retarget();
  const parkedThere = old.sockets[0];
  assert.ok(parkedThere);
  const left = new Promise((resolve) => parkedThere.resume().once('close', resolve));
  target = next.target;
  agent.retarget();
  await Promise.all([left, once(arrivals, 'one')]);
  assert.deepEqual(places, ['old', 'next']);

  // A gateway that was lost is dialled again, at the place where it was.
  next.sockets[0]?.destroy();
  await once(arrivals, 'one');
  assert.deepEqual(places, ['old', 'next', 'next']);
});
