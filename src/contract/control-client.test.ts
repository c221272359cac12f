import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { WebSocketServer } from 'ws';
import { startControlServer } from '../../test/support/control-server.ts';
import { silentLog } from '../../test/support/silent-log.ts';
import { loadIdentity } from '../lib/identity.ts';
import { connectControl, type ControlOptions, type Welcome } from './control-client.ts';
import type { ServerToPeer } from './control-protocol.ts';
import { NexusError } from './errors.ts';
import { newJoinToken } from './handshake.ts';

const folder = await mkdtemp(join(tmpdir(), 'nexus-control-'));
after(() => rm(folder, { recursive: true }));
const identity = await loadIdentity(join(folder, 'server'));
const peer = await loadIdentity(join(folder, 'peer'));

/** A client with a folder of its own, and what it was told so far. */
function startClient(overrides: Partial<ControlOptions> & Pick<ControlOptions, 'url'>) {
  const stateDir = join(folder, randomUUID());
  const heard: (Welcome | ServerToPeer | string)[] = [];
  const news = new EventTarget();
  function hear(what: Welcome | ServerToPeer | string): void {
    heard.push(what);
    news.dispatchEvent(new Event('news'));
  }
  const client = connectControl({
    role: 'agent',
    name: 'node-1',
    version: 'test',
    machine: 'm',
    identity: peer,
    stateDir,
    joinToken: newJoinToken(identity.publicKey),
    onWelcome: hear,
    onMessage: hear,
    onDown: hear,
    heartbeat: () => ({ connections: 7 }),
    log: silentLog,
    ...overrides,
  });
  async function until(fits: (what: (typeof heard)[number]) => boolean): Promise<void> {
    while (!heard.some(fits)) await once(news, 'news');
    heard.splice(0, heard.findIndex(fits) + 1);
  }
  return {
    client,
    stateDir,
    heard,
    welcomed: () => until((what) => typeof what === 'object' && what.type === 'welcome'),
    told: (type: ServerToPeer['type']) => until((what) => typeof what === 'object' && what.type === type),
    down: (reason: RegExp) => until((what) => typeof what === 'string' && reason.test(what)),
    [Symbol.asyncDispose]: () => client[Symbol.asyncDispose](),
  };
}

test('joins with a token, pins the server, and after that comes back by its key', async () => {
  await using server = await startControlServer({ identity });
  await using peerEnd = startClient({ url: server.url, intervalMs: 20 });
  assert.equal(peerEnd.client.send({ type: 'progress', id: '1', line: 'early' }), false);
  await peerEnd.welcomed();
  assert.equal(peerEnd.client.connected, true);
  assert.match(server.proofs[0]?.join_token ?? '', /^nxj_/);
  assert.equal((await readFile(join(peerEnd.stateDir, 'server-key'), 'utf8')).trim(), identity.publicKey);
  assert.equal((await server.next('heartbeat')).connections, 7);
  await server.next('heartbeat');
  await server.next('heartbeat');

  assert.equal(peerEnd.client.send({ type: 'progress', id: '1', line: 'now' }), true);
  assert.equal((await server.next('progress')).line, 'now');
  server.send({ type: 'forget', ids: ['1'] });
  await peerEnd.told('forget');

  server.cut();
  await peerEnd.down(/closed the connection/);
  await peerEnd.welcomed();
  assert.equal(server.proofs[1]?.join_token, undefined);

  await peerEnd.client[Symbol.asyncDispose]();
  assert.equal(await peerEnd.client.ended, null);
  assert.equal(peerEnd.client.connected, false);
  assert.equal(peerEnd.client.send({ type: 'progress', id: '1', line: 'late' }), false);
});

test('messages that cannot be understood or dealt with do not end the connection', async () => {
  await using server = await startControlServer({ identity });
  const dealtWith: string[] = [];
  await using peerEnd = startClient({
    url: server.url,
    onMessage(message) {
      dealtWith.push(message.type);
      if (message.type === 'streams') throw new Error('cannot');
      peerEnd.client.send({ type: 'progress', id: '2', line: message.type });
    },
  });
  await peerEnd.welcomed();
  server.send({ type: 'not yet invented' } as unknown as ServerToPeer);
  server.send('nonsense' as unknown as ServerToPeer);
  server.send({ type: 'streams', streams: null });
  server.send({ type: 'forget', ids: [] });
  assert.equal((await server.next('progress')).line, 'forget');
  assert.deepEqual(dealtWith, ['streams', 'forget']);
});

test('kept out, it ends for good and says why; another refusal may pass', async () => {
  let refusal: NexusError | null = new NexusError('shutting_down', {});
  await using server = await startControlServer({ identity, refuse: () => refusal });
  await using patient = startClient({ url: server.url });
  await patient.down(/server is stopping/);
  refusal = null;
  await patient.welcomed();

  refusal = new NexusError('unauthorized', { reason: 'the node was removed' });
  server.cut();
  const error = await patient.client.ended;
  assert.equal(error?.code, 'unauthorized');
  assert.match(error?.message ?? '', /the node was removed/);
  assert.equal(patient.client.connected, false);
});

test('without a token and without a server that it knows, it does not even dial', async () => {
  await using server = await startControlServer({ identity });
  await using peerEnd = startClient({ url: server.url, joinToken: undefined });
  assert.match((await peerEnd.client.ended)?.message ?? '', /has not joined a server yet/);
  assert.equal(server.hellos.length, 0);
});

test('another server is not told the token, and the right one is waited for', async () => {
  const wrong = await startControlServer({ identity: peer });
  await using peerEnd = startClient({ url: wrong.url });
  await peerEnd.down(/not that of the server that was joined/);
  assert.doesNotMatch(JSON.stringify([wrong.hellos, wrong.proofs]), /nxj_/);
  await wrong[Symbol.asyncDispose]();
  await peerEnd.down(/ECONNREFUSED|failed/);
  await using server = await startControlServer({ identity, port: wrong.port });
  await peerEnd.welcomed();
  assert.equal(server.hellos.length, 1);
});

test('a server that does not prove its key or speaks out of turn is left', async () => {
  const broken: [(message: object) => unknown, RegExp][] = [
    [(challenge) => ({ ...challenge, signature: Buffer.alloc(64).toString('base64') }), /did not prove its key/],
    [() => ({ type: 'welcome', cluster_id: 'x', streams: null }), /sent welcome in place of challenge/],
  ];
  for (const [tamper, reason] of broken) {
    await using server = await startControlServer({ identity, tamper });
    await using peerEnd = startClient({ url: server.url });
    await peerEnd.down(reason);
    assert.equal(peerEnd.client.connected, false);
  }
});

test('a server that closes during the handshake is tried again', async () => {
  const sockets = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  sockets.on('connection', (socket) => socket.on('message', () => socket.close()));
  await once(sockets, 'listening');
  const { port } = sockets.address() as net.AddressInfo;
  await using peerEnd = startClient({ url: `http://127.0.0.1:${port}` });
  await peerEnd.down(/closed the connection during the handshake/);
  await peerEnd.down(/closed the connection during the handshake/);
  await peerEnd.client[Symbol.asyncDispose]();
  sockets.close();
});

test('a server that hangs is noticed, though its connection stays open', async () => {
  await using server = await startControlServer({ identity, answersPings: false });
  await using peerEnd = startClient({ url: server.url, intervalMs: 20 });
  await peerEnd.welcomed();
  await peerEnd.down(/stopped answering/);
  await peerEnd.welcomed();
});

test('it ends at once while it dials a server that says nothing', async () => {
  const silent = net.createServer();
  silent.listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const peerEnd = startClient({ url: `http://127.0.0.1:${(silent.address() as net.AddressInfo).port}` });
  const [socket] = (await once(silent, 'connection')) as [net.Socket];
  await peerEnd.client[Symbol.asyncDispose]();
  assert.deepEqual(peerEnd.heard, []);
  socket.destroy();
  silent.close();
});

test('another machine is spoken to over TLS only', async () => {
  for (const url of ['http://nexus.example.org', 'ftp://127.0.0.1']) {
    assert.throws(() => startClient({ url }), { code: 'invalid_request', message: /server: must be https/ }, url);
  }
  assert.throws(() => startClient({ url: 'http://127.0.0.1:1', joinToken: 'wrong' }), { code: 'invalid_request' });
  const remote = startClient({ url: 'https://127.0.0.1:1' });
  await remote.down(/ECONNREFUSED|failed/);
  await remote.client[Symbol.asyncDispose]();
});
