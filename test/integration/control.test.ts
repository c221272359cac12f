/** The control endpoint against real connections, honest and other. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { WebSocket } from 'ws';
import { connectControl } from '../../src/contract/control-client.ts';
import { controlPath, type ServerToPeer } from '../../src/contract/control-protocol.ts';
import { NexusError } from '../../src/contract/errors.ts';
import { peerHello, peerProof, type Hello } from '../../src/contract/handshake.ts';
import { newId } from '../../src/contract/ids.ts';
import { loadIdentity, type Identity } from '../../src/lib/identity.ts';
import { findNode } from '../../src/server/store/nodes.ts';
import { createReconcileWorld, type ReconcileWorld } from '../support/reconcile-world.ts';
import { ScriptedEngine } from '../support/scripted-agent.ts';
import { silentLog } from '../support/silent-log.ts';

const introduction = { role: 'agent', name: 'node-1', version: '1', machine: 'm' } as const;

/** A peer by hand, which may break every rule. */
async function dial(world: ReconcileWorld): Promise<{
  socket: WebSocket;
  say(message: unknown): void;
  next(): Promise<ServerToPeer>;
  closed: Promise<unknown>;
}> {
  const socket = new WebSocket(world.url.replace('http', 'ws') + controlPath);
  const inbox: ServerToPeer[] = [];
  const arrivals = new EventTarget();
  socket.on('message', (data) => {
    inbox.push(JSON.parse((data as Buffer).toString()) as ServerToPeer);
    arrivals.dispatchEvent(new Event('message'));
  });
  const closed = once(socket, 'close');
  await once(socket, 'open');
  return {
    socket,
    closed,
    say: (message) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    async next() {
      if (inbox.length === 0) await once(arrivals, 'message');
      return inbox.shift() as ServerToPeer;
    },
  };
}

async function shakeHands(
  world: ReconcileWorld,
  identity: Identity,
  changes: Partial<Hello> & { join_token?: string } = {},
): Promise<ServerToPeer> {
  const peer = await dial(world);
  const { join_token: joinToken, ...others } = changes;
  const hello = { ...peerHello(identity, introduction), ...others };
  peer.say(hello);
  const challenge = await peer.next();
  if (challenge.type !== 'challenge') return challenge;
  peer.say(peerProof(identity, { hello, challenge, joinToken }));
  const answer = await peer.next();
  if (answer.type === 'refused') await peer.closed;
  else peer.socket.terminate();
  return answer;
}

function reasonOf(answer: ServerToPeer): unknown {
  return answer.type === 'refused' ? answer.error.details['reason'] : answer.type;
}

test('who may come in', async () => {
  await using world = await createReconcileWorld();
  const [own, other] = await Promise.all([
    loadIdentity(`${world.dataDir}/a.pem`),
    loadIdentity(`${world.dataDir}/b.pem`),
  ]);
  assert.match(String(reasonOf(await shakeHands(world, own))), /has not joined/);
  assert.match(String(reasonOf(await shakeHands(world, own, { join_token: 'nxj_guess' }))), /unknown, used or too old/);
  const late = await world.joinToken('agent', 'node-1', { livesMs: -1 });
  assert.match(String(reasonOf(await shakeHands(world, own, { join_token: late }))), /too old/);
  const foreign = await world.joinToken('agent', 'node-2');
  assert.match(String(reasonOf(await shakeHands(world, own, { join_token: foreign }))), /for the agent node-2/);
  const token = await world.joinToken('agent', 'node-1');
  assert.match(
    String(reasonOf(await shakeHands(world, own, { join_token: token, role: 'gateway' }))),
    /for the agent node-1/,
  );
  assert.equal(reasonOf(await shakeHands(world, own, { join_token: token })), 'welcome');
  assert.equal(reasonOf(await shakeHands(world, own)), 'welcome', 'known by its key from now on');
  assert.match(String(reasonOf(await shakeHands(world, other))), /another key/);
  assert.match(String(reasonOf(await shakeHands(world, other, { join_token: token }))), /used/, 'a token is used once');
  const before = await findNode(world.store.db, 'node-1');
  const again = await world.joinToken('agent', 'node-1');
  assert.equal(
    reasonOf(await shakeHands(world, other, { join_token: again })),
    'welcome',
    'a machine that was set up anew',
  );
  const after = await findNode(world.store.db, 'node-1');
  assert.ok(before && after && before.public_key !== after.public_key);
  assert.match(String(reasonOf(await shakeHands(world, own))), /another key/);
  const reserved = await world.joinToken('agent', 'server');
  assert.match(String(reasonOf(await shakeHands(world, own, { name: 'server', join_token: reserved }))), /own/);
  const tokens = await world.store.db.selectFrom('join_tokens').select('token_hash').execute();
  assert.ok(
    tokens.every(({ token_hash }) => !token_hash.startsWith('nxj_')),
    'only hashes are kept',
  );
});

test('whoever does not prove its key is refused, and its token stays unused', async () => {
  await using world = await createReconcileWorld();
  const [own, other] = await Promise.all([
    loadIdentity(`${world.dataDir}/a.pem`),
    loadIdentity(`${world.dataDir}/b.pem`),
  ]);
  const join_token = await world.joinToken('agent', 'node-1');
  const peer = await dial(world);
  const hello = peerHello(own, introduction);
  peer.say(hello);
  const challenge = await peer.next();
  assert.ok(challenge.type === 'challenge');
  peer.say(peerProof(other, { hello, challenge, joinToken: join_token }));
  assert.match(String(reasonOf(await peer.next())), /did not prove/);
  await peer.closed;
  assert.equal(reasonOf(await shakeHands(world, own, { join_token })), 'welcome');
});

const broken: [string, unknown, RegExp][] = [
  ['no JSON', '{', /not a message/],
  ['no message', { type: 'nonsense' }, /not a message/],
  ['another message first', { type: 'heartbeat' }, /in place of hello/],
  ['a malformed key', { ...introduction, type: 'hello', public_key: 'AAAA', nonce: 'AAAA' }, /malformed/],
];
test('a request that is no WebSocket finds nothing, and is told so', async () => {
  await using world = await createReconcileWorld();
  const response = await fetch(world.url + controlPath);
  const { message } = (await response.json()) as { message: string };
  assert.deepEqual([response.status, message], [404, `There is no endpoint GET ${controlPath}.`]);
});

test('what breaks the protocol ends that connection alone', async () => {
  await using world = await createReconcileWorld();
  await using agent = await world.agent(new ScriptedEngine());
  for (const [name, message, expected] of broken) {
    const peer = await dial(world);
    peer.say(message);
    const answer = await peer.next();
    assert.ok(answer.type === 'refused', name);
    assert.match(answer.error.message, expected, name);
    await peer.closed;
  }
  const large = await dial(world);
  large.say('x'.repeat(5 * 2 ** 20));
  assert.equal((await large.next()).type, 'refused');
  const quitter = await dial(world);
  quitter.socket.terminate();
  assert.equal(agent.client.connected, true);
});

test('a newer connection of the same peer takes the place of the older', async () => {
  await using world = await createReconcileWorld();
  const stateDir = `${world.dataDir}/agent`;
  await using first = await world.agent(new ScriptedEngine(), { stateDir });
  const lost = new Promise<void>((resolve) => {
    const unlisten = world.server.hub.events.listen((event) => {
      if (event.type !== 'connected') return;
      unlisten();
      resolve();
    });
  });
  const identity = await loadIdentity(`${stateDir}/identity.pem`);
  const peer = await dial(world);
  const hello = peerHello(identity, introduction);
  peer.say(hello);
  const challenge = await peer.next();
  assert.ok(challenge.type === 'challenge');
  peer.say(peerProof(identity, { hello, challenge }));
  assert.equal((await peer.next()).type, 'welcome');
  await lost;
  assert.equal(world.server.hub.versionOf('node-1'), '1');
  assert.ok(first.welcomes.length >= 1);
  await peer.closed; // the first comes back, and takes its place in turn
});

test('commands outside of the journal', async () => {
  await using world = await createReconcileWorld({ silenceMs: 600 });
  const { hub } = world.server;
  const workspace_id = newId('ws');
  const observe = { do: 'observe', workspace_id } as const;
  await assert.rejects(hub.command('node-1', observe, { timeoutMs: 1000 }), { code: 'node_unreachable' });
  const engine = new ScriptedEngine();
  const agent = await world.agent(engine);
  assert.equal((await hub.command('node-1', observe, { timeoutMs: 1000 })).instance, 'absent');
  engine.fail('observe', new NexusError('disk_full', { where: 'the pool' }), 1);
  await assert.rejects(hub.command('node-1', observe, { timeoutMs: 1000 }), { code: 'disk_full' });
  const release = engine.hold('observe');
  await assert.rejects(hub.command('node-1', observe, { timeoutMs: 30 }), { code: 'timeout' });
  const waiting = assert.rejects(hub.command('node-1', observe, { timeoutMs: 10_000 }), { code: 'node_unreachable' });
  assert.deepEqual([hub.nodeConnected('node-1'), hub.versionOf('node-1')], [true, '1.0.0']);
  assert.deepEqual(hub.gateway(), { connected: false, version: null });
  await agent[Symbol.asyncDispose]();
  await waiting;
  release();
  assert.equal(hub.nodeConnected('node-1'), false);
  assert.equal(hub.versionOf('node-1'), null);
});

test('heartbeats are written down with what the node has', async () => {
  await using world = await createReconcileWorld();
  const beats = new Promise<void>((resolve) =>
    world.server.hub.events.listen((event) => event.type === 'heartbeat' && resolve()),
  );
  await using _agent = await world.agent(new ScriptedEngine());
  await beats;
  const node = await findNode(world.store.db, 'node-1');
  assert.ok(node?.last_heartbeat);
  assert.match(node.providers_json, /scripted/);
  assert.deepEqual([node.version, node.machine], ['1.0.0', 'machine-1']);
});

test('a node that is removed is disconnected', async () => {
  await using world = await createReconcileWorld();
  await using agent = await world.agent(new ScriptedEngine());
  const gone = new Promise<void>((resolve) =>
    world.server.hub.events.listen((event) => event.type === 'disconnected' && resolve()),
  );
  await world.store.transaction(async (tx) => void (await tx.deleteFrom('nodes').execute()));
  world.server.hub.disconnect('node-1');
  await gone;
  assert.equal(world.server.hub.nodeConnected('node-1'), false);
  assert.equal((await agent.client.ended)?.code, 'unauthorized');
});

test('the pinned server is told from another', async () => {
  await using world = await createReconcileWorld();
  const joinToken = await world.joinToken('agent', 'node-1');
  const impostor = joinToken.slice(0, -43) + 'A'.repeat(43);
  const down = Promise.withResolvers<string>();
  const client = connectControl({
    ...introduction,
    url: world.url,
    joinToken: impostor,
    stateDir: `${world.dataDir}/x`,
    identity: await loadIdentity(`${world.dataDir}/x.pem`),
    onWelcome: () => undefined,
    onMessage: () => undefined,
    onDown: down.resolve,
    heartbeat: () => ({}),
    log: silentLog,
  });
  assert.match(await down.promise, /not that of the server that was joined/);
  await client[Symbol.asyncDispose]();
});
