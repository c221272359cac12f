/** What the gateway is told, and what comes of ports that it cannot have. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceSpec } from '../../src/contract/service-spec.ts';
import { takePort } from '../../src/server/store/ports.ts';
import { createReconcileWorld, type ReconcileWorld } from '../support/reconcile-world.ts';
import { plainConfig, ScriptedEngine } from '../support/scripted-agent.ts';
import { startScriptedGateway, type ScriptedGateway } from '../support/scripted-gateway.ts';

const services = [
  serviceSpec.parse({ name: 'web', command: 'npm start', port: 3000 }),
  serviceSpec.parse({ name: 'db', command: 'postgres', port: 5432 }),
];

function shopEngine(): ScriptedEngine {
  const engine = new ScriptedEngine();
  engine.config = { ...plainConfig, services };
  return engine;
}

async function gateway(world: ReconcileWorld, occupied?: Set<number>): Promise<ScriptedGateway> {
  const joinToken = await world.joinToken('gateway', 'gateway');
  return startScriptedGateway({ url: world.url, joinToken, ...(occupied ? { occupied } : {}) });
}

function settled(world: ReconcileWorld, id: string): Promise<void> {
  return world.server.reconciler.settled(id, { timeoutMs: 20_000 });
}

const listened = ({ routes }: { routes: readonly { listen: number }[] }): number[] =>
  routes.map(({ listen }) => listen);

test('SSH is routed before the clone, services when they are known, and nothing after the end', async () => {
  await using world = await createReconcileWorld();
  await using gate = await gateway(world);
  const engine = shopEngine();
  const release = engine.hold('clone');
  const cloning = engine.arrival('clone');
  await using _agent = await world.agent(engine);
  const id = await world.create();
  await cloning;
  const early = await gate.table((table) => typeof table.routes[0]?.address === 'string');
  const { node, address, machine, port, kind } = early.routes[0] ?? {};
  assert.deepEqual(
    [listened(early), kind, node, address, machine, port],
    [[2222], 'ssh', 'node-1', '10.0.0.2', 'machine-1', 22],
  );
  assert.deepEqual(Object.keys(early.stream_keys).sort(), ['node-1', 'server']);
  release();
  await settled(world, id);
  const whole = await gate.table((table) => table.routes.length === 2);
  assert.deepEqual(listened(whole), [2222, 23000]);
  assert.ok(whole.version > early.version);

  await world.store.transaction(async (tx) => {
    const wish = {
      pool: 'services',
      range: world.config.ports.services,
      workspaceId: id,
      service: 'db',
      targetPort: 5432,
    } as const;
    await takePort(tx, wish);
  });
  await world.server.reconciler.routesApplied();
  await gate.table((table) => table.routes.length === 3);
  await world.ask(id, 'deleted', { force: true });
  await settled(world, id);
  const last = await gate.table((table) => table.version > whole.version + 1 && table.routes.length === 0);
  assert.deepEqual(last.routes, []);
});

test('the version counts on over a restart, and a table that did not change is not sent again', async () => {
  await using world = await createReconcileWorld();
  const engine = shopEngine();
  await using _agent = await world.agent(engine);
  const id = await world.create();
  await settled(world, id);
  await using gate = await gateway(world);
  const before = await gate.table((table) => table.routes.length === 2);
  const count = gate.tables.length;
  await world.server.reconciler.routesApplied();
  await world.server.reconciler.routesApplied();
  await world.restartServer();
  const after = await gate.table((table) => table.version > before.version);
  assert.deepEqual(listened(after), [2222, 23000]);
  assert.equal(gate.tables.filter(({ version }) => version === before.version).length, 1);
  assert.ok(count >= 1);
});

test('a port that another process has is left before the first run', async () => {
  await using world = await createReconcileWorld();
  await using _gate = await gateway(world, new Set([2222, 23000]));
  const engine = shopEngine();
  const release = engine.hold('start_service:web');
  const starting = engine.arrival('start_service:web');
  await using _agent = await world.agent(engine);
  const id = await world.create();
  await starting;
  const moved = await world.until(id, ({ ssh_port }) => ssh_port === 2223);
  assert.equal(moved.status, 'creating');
  await _gate.table((table) => listened(table).join() === '2223,23001');
  release();
  await settled(world, id);
  assert.equal((await world.services(id))[0]?.mapped_port, 23001);
  assert.equal((await world.row(id)).warnings_json, '[]');
});

test('a port that is lost later is a warning, for people have it in their files', async () => {
  await using world = await createReconcileWorld();
  const engine = shopEngine();
  await using _agent = await world.agent(engine);
  const id = await world.create();
  await settled(world, id);
  const occupied = new Set([2222]);
  await using gate = await gateway(world, occupied);
  const row = await world.until(id, ({ warnings_json }) => warnings_json !== '[]');
  assert.deepEqual(JSON.parse(row.warnings_json), ['port 2222 of the host cannot be listened on: in use']);
  assert.equal(row.ssh_port, 2222);
  occupied.clear();
  gate.client.send({ type: 'routes_applied', version: gate.tables.at(-1)?.version ?? 0, failed: [] });
  await world.until(id, ({ warnings_json }) => warnings_json === '[]');
  gate.client.send({ type: 'routes_applied', version: 0, failed: [{ listen: 2222, reason: 'of an old table' }] });
  gate.client.send({ type: 'ssh_connected', workspace_id: id, seconds: 0.01 });
  await world.ask(id, 'stopped');
  await settled(world, id);
  assert.deepEqual(world.measured.ssh, [0.01]);
  assert.equal((await world.row(id)).warnings_json, '[]');
});

test('whoever asks hears which ports another process has, as soon as the gateway has tried them', async () => {
  await using world = await createReconcileWorld();
  const engine = shopEngine();
  await using _agent = await world.agent(engine);
  const id = await world.create();
  await settled(world, id);
  assert.deepEqual(await world.server.reconciler.routesApplied(), new Set(), 'without a gateway, what is known');
  await using _gate = await gateway(world, new Set([23_001]));
  const range = { first: 23_000, last: 23_009 };
  const wish = { pool: 'services', range, workspaceId: id, service: 'web', targetPort: 9_229 } as const;
  assert.equal(await world.store.transaction((tx) => takePort(tx, wish)), 23_001);
  assert.deepEqual(await world.server.reconciler.routesApplied(), new Set([23_001]));
  assert.deepEqual(await world.server.reconciler.routesApplied(), new Set([23_001]), 'nothing changed since');
});

test('without a port left a workspace still runs, and says so of its services', async () => {
  await using world = await createReconcileWorld({ config: { ports: { ssh: '2222-2222', services: '23000-23000' } } });
  const engine = shopEngine();
  await using _agent = await world.agent(engine);
  await settled(world, await world.create());
  const second = await world.create();
  await settled(world, second);
  const row = await world.row(second);
  assert.equal(row.ssh_port, null);
  assert.deepEqual(JSON.parse(row.warnings_json), ['no port of the host is left for web']);
});

test('agents hear where streams are taken, with a key of their own, also after a restart of the server', async () => {
  await using world = await createReconcileWorld();
  const engine = shopEngine();
  await using agent = await world.agent(engine);
  assert.equal(agent.welcomes[0]?.streams, null);
  await using _gate = await gateway(world);
  await settled(world, await world.create());
  const told = agent.messages.find((message) => message.type === 'streams')?.streams;
  assert.deepEqual({ host: told?.host, port: told?.port }, { host: '127.0.0.1', port: 4444 });
  assert.equal(Buffer.from(told?.key ?? '', 'base64').length, 32);
  await world.restartServer();
  await using late = await world.agent(new ScriptedEngine(), { name: 'node-2' });
  assert.equal(late.welcomes[0]?.streams?.port, 4444);
  assert.notEqual(late.welcomes[0]?.streams?.key, told?.key);
  assert.deepEqual(world.server.hub.streamAddress(), { host: '127.0.0.1', port: 4444 });
});
