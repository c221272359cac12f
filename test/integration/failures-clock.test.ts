/** The server's wall clock is put forward and back while it works: what it waits for takes as long as it takes. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NexusError } from '../../src/contract/errors.ts';
import { serviceSpec } from '../../src/contract/service-spec.ts';
import type { WorkspaceEvent } from '../../src/contract/workspace.ts';
import { until } from '../support/installation.ts';
import { createReconcileWorld, type ReconcileWorld } from '../support/reconcile-world.ts';
import { plainConfig, ScriptedEngine } from '../support/scripted-agent.ts';

const day = 24 * 3_600_000;
const engineAway = new NexusError('provider_unavailable', { provider: 'lxc', reason: 'it is away' });

async function settled(world: ReconcileWorld, id: string): Promise<void> {
  await world.server.reconciler.settled(id, { timeoutMs: 30_000 });
}

/** Resolves when the failure of a step was written down. */
async function hasFailed(world: ReconcileWorld, id: string): Promise<void> {
  const failures = world.store.db.selectFrom('operations').where('workspace_id', '=', id);
  const failed = failures.where('error_json', 'is not', null).selectAll();
  await until(async () => (await failed.execute()).length > 0, 'a step to fail');
}

type ServiceNews = NonNullable<WorkspaceEvent['data']['service']>;

/** Resolves when an event tells such a thing of a service. */
async function told(world: ReconcileWorld, id: string, fits: (service: ServiceNews) => boolean): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = ({ workspace_id, data }: WorkspaceEvent): void => {
    if (workspace_id === id && data.service && fits(data.service)) resolve();
  };
  const unlisten = world.store.onEvent(look);
  for (const event of await world.events(id)) look(event);
  await promise.finally(unlisten);
}

for (const [name, jumpMs] of [
  ['put forward', 365 * day],
  // Longer than a timer of JavaScript can be.
  ['put back', -365 * day],
] as const) {
  describe(`a clock that is ${name}`, () => {
    test('a step that failed is tried again as soon as ever', async () => {
      await using world = await createReconcileWorld();
      const engine = new ScriptedEngine();
      engine.fail('create_instance', engineAway, 1);
      await using _agent = await world.agent(engine);
      const id = await world.create();
      await hasFailed(world, id);
      world.clock.aheadMs = jumpMs;
      await settled(world, id);
      assert.equal((await world.row(id)).status, 'running');
    });

    test('a step that failed before a restart of the server too', async () => {
      await using world = await createReconcileWorld();
      const engine = new ScriptedEngine();
      engine.fail('create_instance', engineAway, 1);
      await using _agent = await world.agent(engine);
      const id = await world.create();
      await hasFailed(world, id);
      await world.stopServer();
      world.clock.aheadMs = jumpMs;
      await world.startServer();
      await settled(world, id);
      assert.equal((await world.row(id)).status, 'running');
    });

    test('the newest of several steps of a kind counts', async () => {
      await using world = await createReconcileWorld();
      const engine = new ScriptedEngine();
      await using _agent = await world.agent(engine);
      const id = await world.create();
      await settled(world, id);
      world.clock.aheadMs = jumpMs;
      const { owner_id } = await world.row(id);
      await world.store.transaction(
        async (tx) => void (await tx.updateTable('users').set({ ssh_pubkey: 'ssh-ed25519 NEW' }).execute()),
      );
      await world.server.reconciler.keysChanged(owner_id);
      await settled(world, id);
      assert.equal(engine.log.filter((step) => step === 'configure').length, 2, engine.log.join());
      assert.deepEqual([(await world.row(id)).status, (await world.row(id)).error_json], ['running', null]);
    });

    test('a service that starts has its time', async () => {
      await using world = await createReconcileWorld();
      const engine = new ScriptedEngine();
      engine.config = {
        ...plainConfig,
        services: [
          serviceSpec.parse({ name: 'db', command: 'run db', port: 5432 }),
          serviceSpec.parse({ name: 'web', command: 'run web', depends_on: ['db'] }),
        ],
      };
      engine.startsAs = { state: 'starting', health: 'unknown', started_at: new Date().toISOString() };
      await using agent = await world.agent(engine);
      const id = await world.create();
      await told(world, id, ({ name, status }) => name === 'db' && status === 'starting');
      world.clock.aheadMs = jumpMs;
      engine.setService(id, 'db', { health: 'unhealthy' });
      agent.reportServices(id);
      await told(world, id, ({ name, health }) => name === 'db' && health === 'unhealthy');
      assert.deepEqual(JSON.parse((await world.row(id)).warnings_json), []);
      assert.equal((await world.row(id)).step, 'starting_service:db');
      engine.startsAs = { state: 'running', health: 'healthy' };
      engine.setService(id, 'db', { state: 'running', health: 'healthy' });
      agent.reportServices(id);
      await settled(world, id);
      assert.deepEqual(
        (await world.services(id)).map(({ status }) => status),
        ['running', 'running'],
      );
    });

    test('a node that is heard of stays reachable, and events keep their order', async () => {
      await using world = await createReconcileWorld({ silenceMs: 2000 });
      await using _agent = await world.agent(new ScriptedEngine());
      const id = await world.create();
      await settled(world, id);
      world.clock.aheadMs = jumpMs;
      await world.ask(id, 'stopped');
      await settled(world, id);
      assert.equal(world.server.hub.isReachable('node-1'), true);
      const events = await world.events(id);
      assert.deepEqual(events.at(-1)?.data.status, 'stopped');
      assert.deepEqual(
        events.map((event) => event.id),
        events.map((event) => event.id).toSorted((a, b) => a - b),
      );
    });
  });
}
