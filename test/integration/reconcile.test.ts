/** The server's reconciler with a real database and an agent on a real connection. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { NexusError, type ErrorBody } from '../../src/contract/errors.ts';
import { serviceSpec, type ResolvedConfig } from '../../src/contract/service-spec.ts';
import { listPorts } from '../../src/server/store/ports.ts';
import { findWorkspace, updateWorkspace } from '../../src/server/store/workspaces.ts';
import { createReconcileWorld, ownKey, type ReconcileWorld } from '../support/reconcile-world.ts';
import { plainConfig, ScriptedEngine } from '../support/scripted-agent.ts';

const shopConfig: ResolvedConfig = {
  ...plainConfig,
  services: [
    serviceSpec.parse({ name: 'db', command: 'postgres', port: 5432 }),
    serviceSpec.parse({ name: 'web', command: 'npm start', port: 3000, depends_on: ['db'] }),
  ],
  lifecycle: { pre_start: 'npm install', pre_stop: 'npm run bye' },
  hook_files: ['create'],
  notes: ['package.json: npm start'],
};
const settleWithin = { timeoutMs: 20_000 };
const engineAway = new NexusError('provider_unavailable', { provider: 'lxc', reason: 'no socket' });

function shopEngine(): ScriptedEngine {
  const engine = new ScriptedEngine();
  engine.config = shopConfig;
  return engine;
}

function settled(world: ReconcileWorld, id: string): Promise<void> {
  return world.server.reconciler.settled(id, settleWithin);
}

const shopSteps = [
  'ensure_base',
  'create_instance',
  'start_instance',
  'configure',
  'clone',
  'read_config',
  'configure',
  'run_hook:create',
  'run_hook:pre_start',
  'start_service:db',
  'start_service:web',
];

describe('a workspace from the request to its end', () => {
  test('creating, stopping, starting, deleting', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    await using _agent = await world.agent(engine);
    const id = await world.create();
    await settled(world, id);
    assert.deepEqual(engine.log, shopSteps);
    const row = await world.row(id);
    assert.deepEqual(
      [
        row.status,
        row.step,
        row.error_json,
        row.warnings_json,
        row.node,
        row.address,
        row.host_key,
        row.branch,
        row.ssh_port,
      ],
      ['running', null, null, '[]', 'node-1', '10.0.0.2', 'ssh-ed25519 HOST', 'main', 2222],
    );
    assert.deepEqual(
      (await world.services(id)).map(({ name, status, health, mapped_port }) => [name, status, health, mapped_port]),
      [
        ['db', 'running', 'healthy', null],
        ['web', 'running', 'healthy', 23000],
      ],
    );
    const configure = engine.lastCommands.get('configure');
    assert.ok(configure?.do === 'configure');
    assert.deepEqual(configure.ssh_keys, [ownKey]);
    assert.equal(configure.env['NEXUS_SERVICE_WEB_PORT'], '3000');
    const clone = engine.lastCommands.get('clone');
    assert.equal(clone?.do === 'clone' && clone.url, 'https://github.com/acme/shop.git');
    assert.equal(world.measured.created.length, 1);
    assert.equal(world.measured.services.length, 2);
    assert.equal(world.server.reconciler.queueLength(), 0);

    engine.log.length = 0;
    await world.ask(id, 'stopped');
    await settled(world, id);
    assert.deepEqual(engine.log, ['run_hook:pre_stop', 'stop_service:web', 'stop_service:db', 'stop_instance']);
    const stopped = await world.row(id);
    assert.equal(stopped.status, 'stopped');
    assert.ok(stopped.stopped_at);
    assert.deepEqual(
      (await world.services(id)).map(({ status }) => status),
      ['stopped', 'stopped'],
    );

    engine.log.length = 0;
    await world.ask(id, 'running');
    await settled(world, id);
    assert.deepEqual(engine.log, [
      'start_instance',
      'configure',
      'read_config',
      'run_hook:pre_start',
      'start_service:db',
      'start_service:web',
    ]);
    const again = await world.row(id);
    assert.deepEqual(
      [again.status, again.ssh_port, (await world.services(id))[1]?.mapped_port],
      ['running', 2222, 23000],
    );

    await world.ask(id, 'deleted');
    await settled(world, id);
    assert.equal(await findWorkspace(world.store.db, id), undefined);
    assert.equal(engine.seen(id).instance, 'absent');
    assert.deepEqual(await listPorts(world.store.db), []);
    assert.equal((await world.events(id)).at(-1)?.type, 'deleted');
    await settled(world, id);
  });

  test('every change of status, step and service is an event, and so is progress', async () => {
    await using world = await createReconcileWorld();
    await using _agent = await world.agent(shopEngine());
    const id = await world.create();
    await settled(world, id);
    const events = await world.events(id);
    const steps = events.flatMap(({ type, data }) =>
      type === 'step' || type === 'status' ? [`${data.status} ${data.step}`] : [],
    );
    assert.deepEqual(
      steps.filter((step) => !step.startsWith('pending')),
      [
        'creating preparing_base',
        'creating creating_container',
        'creating starting_container',
        'creating configuring_ssh',
        'creating cloning',
        'creating reading_config',
        'creating configuring_ssh',
        'creating running_hook',
        'creating installing',
        'creating starting_service:db',
        'creating starting_service:web',
        'running null',
      ],
    );
    const lines = events.flatMap(({ data }) => (data.line === undefined ? [] : [data.line]));
    assert.ok(lines.includes('package.json: npm start') && lines.includes('ensure_base begins'), lines.join());
    const web = events.flatMap(({ data }) => (data.service?.name === 'web' ? [data.service] : [])).at(-1);
    assert.deepEqual([web?.status, web?.url], ['running', 'http://localhost:23000']);
  });

  test('a configuration that wants packages gets another base before anything runs', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    engine.config = { ...shopConfig, packages: ['postgresql'] };
    await using _agent = await world.agent(engine);
    const id = await world.create({ packages: ['jq'] });
    await settled(world, id);
    assert.deepEqual(engine.seen(id).base?.packages, ['jq', 'postgresql']);
    const firstHook = engine.log.findIndex((line) => line.startsWith('run_hook'));
    assert.ok(engine.log.lastIndexOf('create_instance') < firstHook);
  });

  test('who signed in with GitHub commits under an address of theirs', async () => {
    await using world = await createReconcileWorld({ config: { auth: { mode: 'github' } } });
    const engine = new ScriptedEngine();
    await using _agent = await world.agent(engine);
    await settled(world, await world.create());
    const configure = engine.lastCommands.get('configure');
    const git = configure?.do === 'configure' ? configure.git : null;
    assert.deepEqual(git, { name: 'alice', email: '1001+alice@users.noreply.github.com' });
  });

  test('an uploaded repository is waited for and brought in', async () => {
    await using world = await createReconcileWorld();
    await using _agent = await world.agent(shopEngine());
    const id = await world.create({ repo: { owner: 'acme', name: 'shop', source: 'upload' } });
    await world.until(id, (row) => row.step === 'uploading');
    await world.store.transaction((tx) => updateWorkspace(tx, id, { uploaded: 1 }));
    world.server.reconciler.nudge(id);
    await settled(world, id);
    assert.deepEqual(world.uploads.slice(0, 2), [`${id} to node-1`, `${id} dropped`]);
  });

  test('a workspace waits for its first node', async () => {
    await using world = await createReconcileWorld();
    const id = await world.create();
    assert.match((await world.until(id, (row) => row.warnings_json !== '[]')).warnings_json, /none has joined/);
    await using _agent = await world.agent(shopEngine());
    await settled(world, id);
  });
});

describe('failures', () => {
  test('a hook that fails ends the creation, and another try begins where it ended', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    engine.fail(
      'run_hook:pre_start',
      new NexusError('hook_failed', { hook: 'pre_start', exit_code: 1, output: ['boom'] }),
    );
    await using _agent = await world.agent(engine);
    const id = await world.create({ workspace_name: 'broken' });
    const hint = 'nexus workspace logs broken --service pre_start';
    await assert.rejects(settled(world, id), { code: 'hook_failed', hint });
    const row = await world.row(id);
    assert.equal(row.status, 'error');
    assert.equal((JSON.parse(row.error_json ?? '') as ErrorBody).hint, hint);
    assert.ok(!engine.log.includes('start_service:db'));
    engine.heal('run_hook:pre_start');
    engine.log.length = 0;
    await world.ask(id, 'running');
    await settled(world, id);
    assert.deepEqual(engine.log, ['read_config', 'run_hook:pre_start', 'start_service:db', 'start_service:web']);
  });

  test('a hiccup of the engine is tried again', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    engine.fail('create_instance', engineAway, 1);
    await using _agent = await world.agent(engine);
    const id = await world.create();
    await settled(world, id);
    assert.equal((await world.row(id)).status, 'running');
  });

  test('an engine that cannot be asked leaves a running workspace what it is', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    await using _agent = await world.agent(engine);
    const id = await world.create();
    await settled(world, id);
    engine.fail('observe', engineAway, 1);
    await world.restartServer();
    const row = await world.until(id, ({ warnings_json }) => warnings_json.includes('lxc engine'));
    assert.equal(row.status, 'running');
    await settled(world, id);
  });

  test('a service that does not get healthy is named, and the workspace runs', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    engine.startsAs = { state: 'failed', health: 'unhealthy', detail: 'exit code 1' };
    await using agent = await world.agent(engine);
    const id = await world.create();
    await settled(world, id);
    const row = await world.row(id);
    assert.equal(row.status, 'running');
    assert.deepEqual(JSON.parse(row.warnings_json), [
      'The service db does not run: exit code 1.',
      'web was not started: db is not healthy.',
    ]);
    assert.deepEqual(
      (await world.services(id)).map(({ status }) => status),
      ['error', 'error'],
    );
    engine.startsAs = { state: 'running', health: 'healthy' };
    engine.setService(id, 'db', { state: 'running', health: 'healthy' });
    const webRuns = engine.arrival('start_service:web');
    agent.reportServices(id);
    await webRuns;
    await world.until(id, ({ warnings_json, step }) => warnings_json === '[]' && step === null);
  });

  test('a workspace that cannot be settled in time says so', async () => {
    await using world = await createReconcileWorld();
    const id = await world.create();
    await assert.rejects(world.server.reconciler.settled(id, { timeoutMs: 10 }), { code: 'timeout' });
    await assert.rejects(world.server.reconciler.settled(id, { timeoutMs: 1000, signal: AbortSignal.abort() }), {
      code: 'timeout',
    });
    const waiting = assert.rejects(settled(world, id), { code: 'shutting_down' });
    await world.stopServer();
    await waiting;
  });
});

describe('wishes that change', () => {
  test('a stop does not wait for a hook that runs', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    const release = engine.hold('run_hook:pre_start');
    await using _agent = await world.agent(engine);
    const id = await world.create();
    await engine.arrival('run_hook:pre_start');
    await world.ask(id, 'stopped', { force: true });
    await settled(world, id);
    assert.equal(engine.seen(id).instance, 'stopped');
    release();
    await world.ask(id, 'running');
    await settled(world, id);
    assert.equal((await world.row(id)).status, 'running');
  });

  test('a deletion waits for what could bring the instance back', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    const release = engine.hold('create_instance');
    await using _agent = await world.agent(engine);
    const id = await world.create();
    await engine.arrival('create_instance');
    const removing = engine.arrival('remove_instance');
    await world.ask(id, 'deleted', { force: true });
    await removing;
    await world.until(id, ({ status, step }) => status === 'deleting' && step === 'creating_container');
    release();
    await settled(world, id);
    assert.equal(engine.seen(id).instance, 'absent');
    assert.equal(await findWorkspace(world.store.db, id), undefined);
  });

  test('a new key goes into running workspaces', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    await using _agent = await world.agent(engine);
    const id = await world.create();
    await settled(world, id);
    const { owner_id } = await world.row(id);
    await world.store.transaction(
      async (tx) => void (await tx.updateTable('users').set({ ssh_pubkey: 'ssh-ed25519 NEW' }).execute()),
    );
    await world.server.reconciler.keysChanged(owner_id);
    const configure = engine.lastCommands.get('configure');
    assert.deepEqual(configure?.do === 'configure' && configure.ssh_keys, ['ssh-ed25519 NEW']);
    assert.equal((await world.row(id)).status, 'running');
    await world.ask(id, 'stopped');
    await world.server.reconciler.keysChanged(owner_id);
  });

  test('one service is stopped, started and restarted', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    await using _agent = await world.agent(engine);
    const id = await world.create({ workspace_name: 'shop' });
    const { reconciler } = world.server;
    await assert.rejects(reconciler.serviceCommand(id, 'web', 'start'), { code: /not_found|workspace_not_running/ });
    await settled(world, id);
    engine.log.length = 0;
    await reconciler.serviceCommand(id, 'web', 'stop');
    assert.deepEqual(
      [(await world.services(id))[1]?.status, (await world.services(id))[1]?.want],
      ['stopped', 'stopped'],
    );
    await reconciler.serviceCommand(id, 'web', 'start');
    await reconciler.serviceCommand(id, 'web', 'restart');
    assert.equal((await world.services(id))[1]?.status, 'running');
    assert.deepEqual(engine.log, ['stop_service:web', 'start_service:web', 'stop_service:web', 'start_service:web']);
    engine.fail(
      'start_service:web',
      new NexusError('service_start_failed', { service: 'web', reason: 'no such file' }),
    );
    await assert.rejects(reconciler.serviceCommand(id, 'web', 'restart'), {
      code: 'service_start_failed',
      hint: 'nexus workspace logs shop --service web',
    });
    await assert.rejects(reconciler.serviceCommand(id, 'nothing', 'start'), {
      code: 'not_found',
      hint: `nexus workspace services ${id}`,
    });
    await world.ask(id, 'stopped');
    await settled(world, id);
    await assert.rejects(reconciler.serviceCommand(id, 'web', 'start'), { code: 'workspace_not_running' });
  });

  test('an edited configuration counts from the next start on: services and ports follow', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    await using _agent = await world.agent(engine);
    const id = await world.create();
    await settled(world, id);
    const api = serviceSpec.parse({ name: 'api', command: 'node api', port: 4000 });
    engine.config = { ...shopConfig, services: [api] };
    await world.ask(id, 'stopped');
    await settled(world, id);
    await world.ask(id, 'running');
    await settled(world, id);
    assert.deepEqual(
      (await world.services(id)).map(({ name, mapped_port }) => [name, mapped_port]),
      [['api', 23000]],
    );
    assert.deepEqual(
      (await listPorts(world.store.db)).map(({ port, service }) => [port, service]),
      [
        [2222, null],
        [23000, 'api'],
      ],
    );
  });
});

describe('behind our back', () => {
  test('an instance that stops is started again, one that runs without being wanted is stopped', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    await using agent = await world.agent(engine);
    const id = await world.create();
    await settled(world, id);
    engine.set(id, { instance: 'stopped', configured: false, hooks_done: ['create'], services: [] });
    const started = engine.arrival('start_instance');
    agent.reportInstances();
    await started;
    await world.until(id, (row) => row.status === 'running');
    await world.ask(id, 'stopped');
    await settled(world, id);
    engine.set(id, { instance: 'running' });
    const stoppedAgain = engine.arrival('stop_instance');
    agent.reportInstances();
    await stoppedAgain;
    await world.until(id, (row) => row.status === 'stopped');
  });

  test('an instance that somebody removed is not silently made anew: a start does it', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    await using agent = await world.agent(engine);
    const id = await world.create();
    await settled(world, id);
    engine.instances.delete(id);
    agent.reportInstances();
    const lost = await world.until(id, (row) => row.status === 'error');
    assert.match(lost.error_json ?? '', /instance_lost.*nexus workspace up/);
    await settled(world, id).catch(() => undefined);
    assert.equal(engine.seen(id).instance, 'absent');
    await world.ask(id, 'running');
    await settled(world, id);
    assert.equal((await world.row(id)).status, 'running');
    assert.ok(engine.seen(id).clone);
  });

  test('reports about a workspace of another node are not believed', async () => {
    await using world = await createReconcileWorld();
    const engine = shopEngine();
    await using _agent = await world.agent(engine);
    const id = await world.create();
    await settled(world, id);
    const stranger = new ScriptedEngine();
    await using other = await world.agent(stranger, { name: 'node-2' });
    stranger.setService(id, 'web', { state: 'failed' });
    other.reportServices(id);
    const next = await world.create();
    await settled(world, next);
    assert.equal((await world.services(id))[1]?.status, 'running');
  });

  test('a node that is away is waited for, and its workspace keeps its status', async () => {
    await using world = await createReconcileWorld({ silenceMs: 400 });
    const engine = shopEngine();
    const stateDir = `${world.dataDir}/agent`;
    const agent = await world.agent(engine, { stateDir });
    const id = await world.create();
    await settled(world, id);
    await agent[Symbol.asyncDispose]();
    const away = await world
      .until(id, ({ warnings_json }) => warnings_json.includes('node node-1 does not answer'))
      .catch(() => null);
    assert.equal(away?.status, 'running');
    await assert.rejects(world.server.reconciler.serviceCommand(id, 'web', 'stop'), { code: 'node_unreachable' });
    await using _back = await world.agent(engine, { stateDir });
    await settled(world, id);
    assert.equal((await world.row(id)).warnings_json, '[]');
  });
});

test('a wait for what was asked for is over when something else is asked for', async () => {
  await using world = await createReconcileWorld();
  const engine = new ScriptedEngine();
  await using _agent = await world.agent(engine);
  const id = await world.create();
  await settled(world, id);
  const release = engine.hold('stop_instance');
  const stopping = engine.arrival('stop_instance');
  await world.ask(id, 'stopped');
  const stopped = world.server.reconciler.settled(id, { ...settleWithin, want: 'stopped' });
  await stopping;
  await world.ask(id, 'running');
  await stopped;
  assert.equal((await world.row(id)).want, 'running');
  release();
  await settled(world, id);
});
