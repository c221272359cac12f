/** The server dies after each single write that it makes; the next one goes on where it was. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceSpec } from '../../src/contract/service-spec.ts';
import { listPorts } from '../../src/server/store/ports.ts';
import { findWorkspace } from '../../src/server/store/workspaces.ts';
import { createReconcileWorld, type ReconcileWorld } from '../support/reconcile-world.ts';
import { plainConfig, ScriptedEngine } from '../support/scripted-agent.ts';

const config = {
  ...plainConfig,
  services: [serviceSpec.parse({ name: 'web', command: 'npm start', port: 3000 })],
  lifecycle: { pre_start: 'npm install', pre_stop: 'npm run bye' },
  hook_files: ['create' as const],
  packages: ['jq'],
};

type Killed = { readonly died: boolean };

/** Does `act`, and kills the server after so many of its commits, if it makes as many. */
async function killAfter(
  world: ReconcileWorld,
  commits: number,
  agent: { restart(): Promise<void> },
  act: () => Promise<string>,
): Promise<Killed & { id: string }> {
  const death = world.killAfterCommits(commits).then(() => true);
  const id = await act();
  const lived = world.server.reconciler.settled(id, { timeoutMs: 20_000 }).then(() => false);
  const died = await Promise.race([death, lived]);
  lived.catch(() => undefined);
  if (died) await world.restartServer();
  // Together with the server: else most of the time would go by until the agent tries to connect again.
  if (died) await agent.restart();
  else void world.killAfterCommits(Infinity);
  return { died, id };
}

async function settled(world: ReconcileWorld, id: string): Promise<void> {
  await world.server.reconciler.settled(id, { timeoutMs: 20_000 });
}

function count(engine: ScriptedEngine, key: string): number {
  return engine.log.filter((line) => line === key).length;
}

test('killed at any write of a creation, a stop and a deletion', async () => {
  await using world = await createReconcileWorld();
  const engine = new ScriptedEngine();
  engine.config = config;
  const stateDir = `${world.dataDir}/agent`;
  let current = await world.agent(engine, { stateDir });
  await using _agent = { [Symbol.asyncDispose]: () => current[Symbol.asyncDispose]() };
  const agent = {
    async restart() {
      await current[Symbol.asyncDispose]();
      current = await world.agent(engine, { stateDir });
    },
  };
  let survived = 0;
  for (let commits = 1; survived < 1; commits++) {
    engine.log.length = 0;
    const created = await killAfter(world, commits, agent, () => world.create());
    const { id } = created;
    await settled(world, id);
    const row = await world.row(id);
    assert.deepEqual(
      [row.status, row.step, row.error_json, row.warnings_json],
      ['running', null, null, '[]'],
      `creation, commit ${commits}`,
    );
    assert.deepEqual(engine.seen(id).base?.packages, ['jq']);
    for (const key of ['run_hook:create', 'run_hook:pre_start', 'start_service:web'])
      assert.equal(count(engine, key), 1, `${key} once, commit ${commits}`);
    assert.equal(count(engine, 'create_instance'), 2, `the plain base, then the one with packages; commit ${commits}`);
    assert.deepEqual(
      (await listPorts(world.store.db)).map(({ port }) => port),
      [2222, 23000],
    );

    engine.log.length = 0;
    const stopped = await killAfter(world, commits, agent, async () => {
      await world.ask(id, 'stopped');
      return id;
    });
    await settled(world, id);
    assert.equal((await world.row(id)).status, 'stopped');
    for (const key of ['run_hook:pre_stop', 'stop_service:web', 'stop_instance'])
      assert.equal(count(engine, key), 1, `${key} once, commit ${commits}`);

    const deleted = await killAfter(world, commits, agent, async () => {
      await world.ask(id, 'deleted');
      return id;
    });
    await settled(world, id);
    assert.equal(await findWorkspace(world.store.db, id), undefined);
    assert.equal(engine.seen(id).instance, 'absent');
    assert.deepEqual(await listPorts(world.store.db), []);
    const open = await world.store.db.selectFrom('operations').selectAll().execute();
    assert.deepEqual(open, []);
    if (![created, stopped, deleted].some(({ died }) => died)) survived += 1;
  }
});

test('a command that the agent answered while the server was dead is not done twice', async () => {
  await using world = await createReconcileWorld();
  const engine = new ScriptedEngine();
  engine.config = config;
  await using agent = await world.agent(engine);
  const release = engine.hold('clone');
  const cloning = engine.arrival('clone');
  const id = await world.create();
  await cloning;
  await world.stopServer();
  release();
  await world.startServer();
  await settled(world, id);
  // Once in the plain instance, once in the one with packages.
  assert.equal(count(engine, 'clone'), 2);
  const repeated = agent.commandIds.filter((one, index) => agent.commandIds.indexOf(one) !== index);
  assert.ok(repeated.length >= 1, 'it was sent again under its id');
});

test('an agent that dies in the middle of a step does it anew when it is back', async () => {
  await using world = await createReconcileWorld();
  const engine = new ScriptedEngine();
  engine.config = config;
  const stateDir = `${world.dataDir}/agent`;
  const first = await world.agent(engine, { stateDir });
  const release = engine.hold('clone');
  const cloning = engine.arrival('clone');
  const id = await world.create();
  await cloning;
  await first[Symbol.asyncDispose]();
  release();
  await using _second = await world.agent(engine, { stateDir });
  await settled(world, id);
  assert.equal((await world.row(id)).status, 'running');
});

test('an answer that was waiting tells what was then: what is now is asked for', async () => {
  await using world = await createReconcileWorld();
  const engine = new ScriptedEngine();
  engine.config = config;
  const stateDir = `${world.dataDir}/agent`;
  const first = await world.agent(engine, { stateDir });
  const release = engine.hold('start_service:web');
  const starting = engine.arrival('start_service:web');
  const id = await world.create();
  await starting;
  await first[Symbol.asyncDispose]();
  release();
  await Promise.all(engine.answers.values());
  engine.setService(id, 'web', { state: 'stopped', health: 'unknown' });
  await using _second = await world.agent(engine, { stateDir });
  await settled(world, id);
  assert.equal((await world.row(id)).status, 'running');
  assert.deepEqual(
    engine.seen(id).services.map(({ name, state }) => [name, state]),
    [['web', 'running']],
  );
});
