import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AgentCommand, Observation, ServiceReport } from '../../contract/control-protocol.ts';
import { NexusError, type ErrorBody } from '../../contract/errors.ts';
import { serviceSpec, type ResolvedConfig } from '../../contract/service-spec.ts';
import type { ProviderHealth } from '../../contract/node.ts';
import { retryBackoff } from './attempts.ts';
import * as commands from './commands.ts';
import { plan } from './plan.ts';
import type { Done, Plan, Seen, Want, WantedService } from './plan-types.ts';
import { serviceVerdicts } from './services.ts';

const id = 'ws-abcdefghijkl';
const now = Date.parse('2026-01-17T10:00:00.000Z');
const workspace_id = id;

const emptyConfig: ResolvedConfig = {
  source: 'config',
  services: [],
  lifecycle: {},
  hook_files: [],
  packages: [],
  image: null,
  notes: [],
};

function wanted(name: string, rest: object = {}, want: 'running' | 'stopped' = 'running'): WantedService {
  return { spec: serviceSpec.parse({ name, command: `run ${name}`, ...rest }), want };
}

function makeWant(changes: Partial<Want> = {}): Want {
  return {
    id,
    name: 'shop',
    state: 'running',
    force: false,
    status: 'creating',
    node: 'node-1',
    provider: 'lxc',
    image: 'debian:12',
    packages: [],
    limits: { cpu: 2, memory_bytes: 1, disk_bytes: 1, processes: 1 },
    sshKeys: ['ssh-ed25519 AAAA'],
    git: null,
    repo: { url: 'https://example.org/a.git', ref: null, upstreamUrl: null },
    upload: null,
    config: emptyConfig,
    services: [],
    wantedAt: now - 1000,
    done: [ok(read), ok({ do: 'ensure_base', workspace_id, provider: 'lxc', image: 'debian:12', packages: [] })],
    configuredWith: null,
    ...changes,
  };
}

/** With the `configure` of the present wants done. */
function configured(changes: Partial<Want> = {}): Want {
  const want = makeWant(changes);
  return { ...want, configuredWith: commands.configure(want) };
}

function observed(changes: Partial<Observation> = {}): Observation {
  return {
    workspace_id,
    instance: 'running',
    provider: 'lxc',
    address: '10.1.1.2',
    machine: 'm',
    base: { image: 'debian:12', packages: [] },
    configured: true,
    host_key: 'ssh-ed25519 H',
    clone: { commit: 'a'.repeat(40), branch: 'main' },
    config: emptyConfig,
    hooks_done: [],
    services: [],
    ...changes,
  };
}

function report(name: string, changes: Partial<ServiceReport> = {}): ServiceReport {
  return {
    name,
    state: 'running',
    health: 'healthy',
    detail: null,
    last_check: null,
    started_at: null,
    deaths: 0,
    ...changes,
  };
}

function see(observation: Observation | null, changes: Partial<Seen> = {}): Seen {
  return { reachable: true, observation, blind: null, fleet: [], ...changes };
}

function ok(command: AgentCommand, endedAt = now - 500): Done {
  return { command, error: null, startedAt: endedAt - 100, endedAt };
}

function failed(command: AgentCommand, error: ErrorBody, endedAt = now): Done {
  return { command, error, startedAt: endedAt - 100, endedAt };
}

const read: AgentCommand = { do: 'read_config', workspace_id };
const start: AgentCommand = { do: 'start_instance', workspace_id };
const startNotFound = new NexusError('not_found', { kind: 'instance', name: id }).toBody();
const engineAway = new NexusError('provider_unavailable', { provider: 'lxc', reason: 'no socket' }).toBody();
const lxc: ProviderHealth = {
  name: 'lxc',
  ok: true,
  engine: 'lxd',
  version: '5',
  disk_total_bytes: null,
  disk_free_bytes: null,
  reason: null,
};
const fleet = [{ name: 'node-1', connected: true, draining: false, providers: [lxc], workspaces: 0 }];

/** A plan in one line. */
function sketch(result: Plan): string {
  switch (result.kind) {
    case 'do':
      return `${result.status}: ${result.steps.map((s) => (s.do === 'place' ? `place ${s.node}` : s.step)).join(', ')}`;
    case 'wait':
      return `${result.status}: wait ${result.reason}`;
    case 'settled':
      return `settled ${result.status}`;
    case 'gone':
      return 'gone';
    case 'failed':
      return `failed ${result.error.error}`;
  }
}

type Case = [name: string, want: Want, seen: Seen, expected: string];

function table(name: string, cases: readonly Case[]): void {
  describe(name, () => {
    for (const [title, want, seen, expected] of cases) {
      test(title, () => assert.equal(sketch(plan(want, seen, now)), expected));
    }
  });
}

const absent = observed({
  instance: 'absent',
  base: null,
  address: null,
  clone: null,
  config: null,
  configured: false,
});
const bare = observed({ configured: false, clone: null, config: null });
const fresh = makeWant({ status: 'pending', config: null, done: [] });
const withHooks: ResolvedConfig = {
  ...emptyConfig,
  hook_files: ['create', 'up', 'stop', 'down'],
  lifecycle: { pre_start: 'npm install', post_start: 'npm run seed', pre_stop: 'npm run bye' },
};

table('a new workspace', [
  ['gets a node', { ...fresh, node: null }, see(null, { fleet }), 'pending: place node-1'],
  [
    'waits for a node',
    { ...fresh, node: null },
    see(null),
    'pending: wait No node can take the workspace: none has joined.',
  ],
  ['does not wait for ever', { ...fresh, node: null, wantedAt: now - 60_000 }, see(null), 'failed no_available_nodes'],
  [
    'does not wait for a full disk',
    { ...fresh, node: null },
    see(null, {
      fleet: [
        { ...(fleet[0] as (typeof fleet)[0]), providers: [{ ...lxc, disk_total_bytes: 1e10, disk_free_bytes: 1e9 }] },
      ],
    }),
    'failed disk_full',
  ],
  ['is not asked for where nothing was sent', fresh, see(null), 'creating: preparing_base'],
  ['that was begun is looked at', { ...fresh, status: 'creating' }, see(null), 'creating: observing'],
  ['has its base', { ...fresh, done: [ok(commands.ensureBase(fresh))] }, see(absent), 'creating: creating_container'],
  [
    'has a base of other packages',
    { ...fresh, packages: ['jq'], done: [ok(commands.ensureBase(fresh))] },
    see(absent),
    'creating: preparing_base',
  ],
  ['is there', fresh, see(observed({ instance: 'stopped' })), 'creating: starting_container'],
  ['runs', fresh, see(bare), 'creating: configuring_ssh'],
  ['has its keys', configured({ config: null }), see({ ...bare, configured: true }), 'creating: cloning'],
  [
    'waits for its upload',
    configured({ config: null, upload: { arrived: false } }),
    see({ ...bare, configured: true }),
    'creating: wait the repository is being uploaded',
  ],
  [
    'has its upload',
    configured({ config: null, upload: { arrived: true } }),
    see({ ...bare, configured: true }),
    'creating: cloning',
  ],
  [
    'gets no upload',
    configured({ config: null, upload: { arrived: false }, wantedAt: now - 16 * 60_000 }),
    see({ ...bare, configured: true }),
    'failed clone_failed',
  ],
  ['is cloned', configured({ config: null, done: [] }), see(observed({ config: null })), 'creating: reading_config'],
]);

const lacksPackages = configured({ config: null, packages: ['postgresql'], done: [ok(read)] });
const baseMade = { ...lacksPackages, done: [ok(read), ok(commands.ensureBase(lacksPackages))] };

table('a base that the configuration wants otherwise', [
  ['is built first', lacksPackages, see(observed()), 'creating: preparing_base'],
  ['then the instance goes', baseMade, see(observed()), 'creating: removing_container'],
  [
    'and comes anew',
    { ...baseMade, done: [...baseMade.done, ok({ do: 'remove_instance', workspace_id })] },
    see(absent),
    'creating: creating_container',
  ],
  [
    'which is of the wanted base',
    { ...lacksPackages, done: [] },
    see(observed({ base: { image: 'debian:12', packages: ['postgresql'] } })),
    'creating: reading_config',
  ],
  [
    'of which nothing is known, is kept',
    { ...lacksPackages, done: [] },
    see(observed({ base: null })),
    'creating: reading_config',
  ],
  [
    'is too late once the workspace is in use',
    configured({ config: { ...emptyConfig, packages: ['jq'] } }),
    see(observed()),
    'settled running',
  ],
]);

test('packages that come later are named in a warning', () => {
  const result = plan(
    configured({ config: { ...emptyConfig, packages: ['jq', 'git'] } }),
    see(observed({ base: { image: 'debian:12', packages: ['git'] } })),
    now,
  );
  assert.ok(result.kind === 'settled' && /packages jq came/.test(result.warnings[0] ?? ''));
});

const hooked = configured({ config: withHooks });
table('hooks and services', [
  ['create comes first', hooked, see(observed()), 'creating: running_hook'],
  ['then pre_start', hooked, see(observed({ hooks_done: ['create'] })), 'creating: installing'],
  ['then up', hooked, see(observed({ hooks_done: ['create', 'pre_start'] })), 'creating: running_hook'],
  ['then post_start', hooked, see(observed({ hooks_done: ['create', 'pre_start', 'up'] })), 'creating: running_hook'],
  [
    'then it runs',
    hooked,
    see(observed({ hooks_done: ['create', 'pre_start', 'up', 'post_start'] })),
    'settled running',
  ],
]);

const db = wanted('db', { port: 5432 });
const api = wanted('api', { port: 4000, depends_on: ['db'] });
const web = wanted('web', { port: 3000, depends_on: ['api'] });
const worker = wanted('worker');
const shop = configured({ services: [db, api, web, worker] });
const startedDb = (agoMs: number): Want => ({
  ...shop,
  done: [...shop.done, ok(commands.startService(shop, db.spec), now - agoMs)],
});
const unhealthyDb = report('db', { health: 'unhealthy', detail: 'connection refused' });
const failedDb = report('db', { state: 'failed', detail: 'exit code 1' });

table('services', [
  [
    'those that need nothing start together',
    shop,
    see(observed()),
    'creating: starting_service:db, starting_service:worker',
  ],
  [
    'the others when theirs is healthy',
    shop,
    see(observed({ services: [report('db'), report('worker')] })),
    'creating: starting_service:api',
  ],
  [
    'and not before',
    startedDb(1000),
    see(observed({ services: [unhealthyDb, report('worker')] })),
    'creating: wait waiting for db, api, web to be healthy',
  ],
  [
    'a service without a port is healthy when it runs',
    configured({ services: [worker] }),
    see(observed({ services: [report('worker', { health: 'unknown' })] })),
    'settled running',
  ],
  [
    'one that restarts is not',
    configured({ services: [worker] }),
    see(observed({ services: [report('worker', { state: 'restarting', health: 'unknown' })] })),
    'creating: wait waiting for worker to be healthy',
  ],
  [
    'after 30 s it is given up',
    startedDb(30_000),
    see(observed({ services: [unhealthyDb, report('worker')] })),
    'settled running',
  ],
  [
    'one that died too often is at once',
    shop,
    see(observed({ services: [failedDb, report('worker')] })),
    'settled running',
  ],
  [
    'a running workspace goes on being called so',
    { ...shop, status: 'running' },
    see(observed({ services: [report('db'), report('worker')] })),
    'running: starting_service:api',
  ],
  [
    'and is settled while one gets healthy',
    { ...startedDb(1000), status: 'running' },
    see(observed({ services: [unhealthyDb, report('worker')] })),
    'settled running',
  ],
  [
    'what is stopped by request stays so',
    configured({ services: [wanted('db', {}, 'stopped')] }),
    see(observed()),
    'settled running',
  ],
  [
    'what runs and should not is stopped',
    configured({ services: [wanted('db', {}, 'stopped')] }),
    see(observed({ services: [report('db')] })),
    'creating: stopping_service:db',
  ],
  [
    'what is not in the configuration any more too',
    configured(),
    see(observed({ services: [report('old')] })),
    'creating: stopping_service:old',
  ],
]);

test('settled services are looked at again when their time is up', () => {
  const result = plan(
    { ...startedDb(1000), status: 'running' },
    see(observed({ services: [unhealthyDb, report('worker')] })),
    now,
  );
  assert.equal(result.kind === 'settled' && result.untilMs, now + 29_000);
});

test('a service that fails is named, with all that needed it', () => {
  const observation = observed({ services: [{ ...unhealthyDb }, report('worker')] });
  const want = startedDb(31_000);
  const result = plan(want, see(observation), now);
  assert.deepEqual(result.kind === 'settled' && result.warnings, [
    'db is not healthy, and its 30 s to start are over: connection refused.',
    'api was not started: db is not healthy.',
    'web was not started: api is not healthy.',
  ]);
  const verdicts = serviceVerdicts(want, observation, now);
  assert.deepEqual(
    verdicts.map(({ name, status, health, error }) => [name, status, health, error?.error ?? null]),
    [
      ['db', 'unhealthy', 'unhealthy', 'health_check_timeout'],
      ['api', 'error', 'unknown', 'dependency_failed'],
      ['web', 'error', 'unknown', 'dependency_failed'],
      ['worker', 'running', 'healthy', null],
    ],
  );
});

test('how services are shown in each state of the workspace', () => {
  const shown = (want: Want, observation: Observation | null): unknown[] =>
    serviceVerdicts(want, observation, now).map(({ name, status, health }) => `${name} ${status} ${health}`);
  const two = configured({ services: [db, wanted('off', {}, 'stopped')] });
  assert.deepEqual(shown(two, null), ['db pending unknown', 'off pending unknown']);
  assert.deepEqual(shown({ ...two, state: 'stopped' }, null), ['db stopped unknown', 'off stopped unknown']);
  assert.deepEqual(shown(two, observed()), ['db pending unknown', 'off stopped unknown']);
  assert.deepEqual(shown({ ...two, state: 'stopped' }, observed()), ['db stopped unknown', 'off stopped unknown']);
  assert.deepEqual(shown(two, observed({ services: [failedDb] })), ['db error unhealthy', 'off stopped unknown']);
  const young = { ...two, done: [ok(commands.startService(two, db.spec), now - 10)] };
  assert.deepEqual(shown(young, observed({ services: [report('db', { health: 'timeout' })] })), [
    'db starting timeout',
    'off stopped unknown',
  ]);
  const old = { ...two, done: [ok(commands.startService(two, db.spec), now - 90_000)] };
  assert.deepEqual(shown(old, observed({ services: [report('db', { state: 'restarting' })] })), [
    'db unhealthy unhealthy',
    'off stopped unknown',
  ]);
});

test('the status and the health of a service do not contradict each other', () => {
  const shown = (changes: Partial<ServiceReport>, agoMs: number, want: 'running' | 'stopped' = 'running'): unknown => {
    const one = configured({ services: [wanted('db', { port: 5432 }, want)] });
    const startedAgo = { ...one, done: [ok(commands.startService(one, db.spec), now - agoMs)] };
    const [verdict] = serviceVerdicts(startedAgo, observed({ services: [report('db', changes)] }), now);
    return `${verdict?.status} ${verdict?.health}`;
  };
  assert.equal(shown({ health: 'unknown' }, 31_000), 'unhealthy unhealthy');
  assert.equal(shown({ health: 'timeout' }, 31_000), 'unhealthy timeout');
  assert.equal(shown({ health: 'unknown' }, 1000), 'starting unknown');
  assert.equal(shown({ state: 'restarting' }, 1000), 'starting unknown');
  assert.equal(shown({}, 31_000), 'running healthy');
  assert.equal(shown({}, 31_000, 'stopped'), 'stopped unknown');
});

test('the time of a service that another server started counts from what systemd says', () => {
  const at = (agoMs: number | null): ServiceReport =>
    report('db', { health: 'unhealthy', started_at: agoMs === null ? null : new Date(now - agoMs).toISOString() });
  const want = configured({ services: [db], status: 'running' });
  const warnings = (agoMs: number | null): number | undefined => {
    const result = plan(want, see(observed({ services: [at(agoMs)] })), now);
    return result.kind === 'settled' ? result.warnings.length : undefined;
  };
  assert.deepEqual([warnings(1000), warnings(31_000), warnings(null)], [0, 1, 0]);
});

test('the start of a service has the default health check and its environment', () => {
  const command = commands.startService(shop, db.spec);
  assert.deepEqual(command.service.health_check, { type: 'tcp', port: 5432, interval: 5, timeout: 3, retries: 5 });
  assert.equal(command.env['NEXUS_SERVICE_DB_PORT'], '5432');
  assert.equal(commands.startService(shop, worker.spec).service.health_check, undefined);
});

const startDb = commands.startService(shop, db.spec);
const noStart = new NexusError('service_start_failed', { service: 'db', reason: 'no such command' }).toBody();
table('a service that cannot be started', [
  [
    'for a passing reason is tried again',
    { ...shop, done: [...shop.done, failed(startDb, engineAway)] },
    see(observed({ services: [report('worker')] })),
    'creating: wait waiting for db, api, web to be healthy',
  ],
  [
    'for good is not',
    { ...shop, done: [...shop.done, failed(startDb, noStart)] },
    see(observed({ services: [report('worker')] })),
    'settled running',
  ],
]);

const hookFailed = new NexusError('hook_failed', {
  hook: 'pre_start',
  exit_code: 1,
  output: ['npm: not found'],
}).toBody();
const timedOut = new NexusError('timeout', { what: 'run_hook', seconds: 1 }).toBody();
const preStart = commands.runHook(hooked, 'pre_start', 'npm install');
const afterCreate = see(observed({ hooks_done: ['create'] }));
const ensure = commands.ensureBase(fresh);
function times(count: number, entry: Done): Done[] {
  return Array.from({ length: count }, () => entry);
}

table('failures', [
  [
    'of a hook stop the creation',
    { ...hooked, done: [...hooked.done, failed(preStart, hookFailed)] },
    afterCreate,
    'failed hook_failed',
  ],
  [
    'of a hook by its time limit too',
    { ...hooked, done: [...hooked.done, failed(preStart, timedOut)] },
    afterCreate,
    'failed timeout',
  ],
  [
    'of the engine wait',
    { ...fresh, done: [failed(ensure, engineAway)] },
    see(absent),
    'creating: wait The lxc engine is not available: no socket.',
  ],
  [
    'of the engine are tried again',
    { ...fresh, done: [failed(ensure, engineAway, now - retryBackoff.firstMs)] },
    see(absent),
    'creating: preparing_base',
  ],
  [
    'of the engine end too',
    { ...fresh, done: times(6, failed(ensure, engineAway, now - 60_000)) },
    see(absent),
    'failed provider_unavailable',
  ],
  [
    'before a success do not count',
    { ...fresh, done: [...times(5, failed(ensure, engineAway)), ok({ ...ensure, packages: ['x'] }), ok(ensure)] },
    see(absent),
    'creating: creating_container',
  ],
  [
    'of an instance that stops after each start wait',
    { ...hooked, done: times(3, ok(start)) },
    see(observed({ instance: 'stopped' })),
    'creating: wait start_instance did not last',
  ],
  [
    'and end',
    { ...hooked, done: times(5, ok(start)) },
    see(observed({ instance: 'stopped' })),
    'failed container_start_failed',
  ],
  [
    'that are long ago do not',
    { ...hooked, done: times(9, ok(start, now - 11 * 60_000)) },
    see(observed({ instance: 'stopped' })),
    'creating: starting_container',
  ],
  [
    'of steps that have no effect end',
    { ...fresh, done: times(5, ok(commands.configure(fresh))) },
    see(bare),
    'failed container_start_failed',
  ],
]);

const running = { ...hooked, status: 'running' } as const;
const prepared = observed({ hooks_done: ['create', 'pre_start', 'up', 'post_start'] });
table('behind our back', [
  [
    'an instance that stopped is started',
    running,
    see(observed({ instance: 'stopped' })),
    'creating: starting_container',
  ],
  [
    'one that booted is prepared again',
    running,
    see(observed({ configured: false, hooks_done: ['create'] })),
    'creating: configuring_ssh',
  ],
  ['one that is gone is not made again: its work is lost', running, see(absent), 'failed instance_lost'],
  ['that stays so', { ...running, status: 'error' }, see(absent), 'failed instance_lost'],
  [
    'one that goes during a start is lost too',
    { ...running, status: 'creating', done: [failed(start, startNotFound)] },
    see(absent),
    'failed instance_lost',
  ],
  ['a new start makes it anew', { ...running, status: 'creating', done: [] }, see(absent), 'creating: preparing_base'],
  [
    'and goes on with it',
    { ...running, status: 'creating', done: [ok(ensure)] },
    see(absent),
    'creating: creating_container',
  ],
  [
    'one that was never ready has nothing to lose',
    { ...running, config: null },
    see(absent),
    'creating: creating_container',
  ],
  ['a stop has nothing to do', { ...running, state: 'stopped', status: 'stopping' }, see(absent), 'settled stopped'],
  [
    'a stopped one that runs is stopped',
    configured({ state: 'stopped', status: 'stopped' }),
    see(observed()),
    'stopping: stopping_container',
  ],
  [
    'a new key is taken while it runs',
    { ...running, sshKeys: ['ssh-ed25519 BBBB'] },
    see(prepared),
    'running: configuring_ssh',
  ],
  [
    'the configuration is read in each start',
    { ...running, status: 'creating', done: [] },
    see(prepared),
    'creating: reading_config',
  ],
]);

table('a node that is away', [
  ['keeps its status', running, see(prepared, { reachable: false }), 'running: wait node node-1 does not answer'],
  [
    'for a stop too',
    configured({ state: 'stopped', status: 'stopping' }),
    see(null, { reachable: false }),
    'stopping: wait node node-1 does not answer',
  ],
]);

const blind = (attempts: number, agoMs: number): Partial<Seen> => ({
  blind: { error: engineAway, attempts, atMs: now - agoMs },
});
table('an engine that cannot be asked', [
  ['is asked again', running, see(null, blind(1, 1000)), 'running: observing'],
  ['after a while', running, see(null, blind(1, 10)), 'running: wait The lxc engine is not available: no socket.'],
  ['for ever by a workspace at rest', running, see(null, blind(100, 30_000)), 'running: observing'],
  ['but not by one that is being made', hooked, see(null, blind(6, 30_000)), 'failed provider_unavailable'],
]);

const stopping = configured({
  state: 'stopped',
  status: 'stopping',
  config: withHooks,
  services: [db, api, web, worker],
  done: [],
});
const preStop = commands.runHook(stopping, 'pre_stop', 'npm run bye');
const stopHook = commands.runHook(stopping, 'stop', null);
const downHook = commands.runHook(stopping, 'down', null);
const hooksRun = [ok(preStop), failed(stopHook, hookFailed), ok(downHook)];
const allRun = observed({ services: [report('db'), report('api'), report('web'), report('worker')] });
const stopOf = (force: boolean): AgentCommand => ({ do: 'stop_instance', workspace_id, force });

table('stopping', [
  ['begins with pre_stop', stopping, see(allRun), 'stopping: running_hook'],
  [
    'goes on whatever comes of it',
    { ...stopping, done: [failed(preStop, hookFailed)] },
    see(allRun),
    'stopping: running_hook',
  ],
  [
    'then the services, those first that none depends on',
    { ...stopping, done: hooksRun },
    see(allRun),
    'stopping: stopping_service:web, stopping_service:worker',
  ],
  [
    'then theirs',
    { ...stopping, done: hooksRun },
    see(observed({ services: [report('db'), report('api'), report('web', { state: 'stopped' })] })),
    'stopping: stopping_service:api',
  ],
  [
    'a service that does not stop is left to the instance',
    { ...stopping, done: [...hooksRun, failed(commands.stopService(stopping, 'db'), engineAway)] },
    see(observed({ services: [report('db')] })),
    'stopping: stopping_container',
  ],
  ['then the instance', { ...stopping, done: hooksRun }, see(observed()), 'stopping: stopping_container'],
  [
    'an instance that is not yet cloned has no hooks',
    { ...stopping, config: withHooks },
    see(bare),
    'stopping: stopping_container',
  ],
  ['with force at once', { ...stopping, force: true }, see(allRun), 'stopping: stopping_container'],
  ['is done', stopping, see(observed({ instance: 'stopped' })), 'settled stopped'],
  ['is done where there is nothing', stopping, see(absent), 'settled stopped'],
  ['is done before it had a node', { ...stopping, node: null }, see(null), 'settled stopped'],
]);

test('services that depend on each other in a circle are stopped together', () => {
  const a = wanted('a', { depends_on: ['b'] });
  const b = wanted('b', { depends_on: ['a'] });
  const want = { ...stopping, services: [a, b], done: hooksRun };
  assert.equal(
    sketch(plan(want, see(observed({ services: [report('a'), report('b')] })), now)),
    'stopping: stopping_service:a, stopping_service:b',
  );
  const starting = configured({ services: [a, b] });
  assert.equal(sketch(plan(starting, see(observed()), now)), 'settled running');
});

test('a stop hook that failed is a warning', () => {
  const result = plan({ ...stopping, done: hooksRun }, see(observed({ instance: 'stopped' })), now);
  assert.match((result.kind === 'settled' && result.warnings.join()) || '', /The hook pre_start ended with 1/);
});

test('an instance that does not shut down is stopped hard', () => {
  const force = (failures: number): unknown => {
    const done = [...hooksRun, ...times(failures, failed(stopOf(false), engineAway, now - 60_000))];
    const result = plan({ ...stopping, done }, see(observed()), now);
    const [step] = result.kind === 'do' ? result.steps : [];
    return step?.do === 'command' && step.command.do === 'stop_instance' && step.command.force;
  };
  assert.deepEqual([force(0), force(1), force(2)], [false, false, true]);
});

const deleting = configured({ state: 'deleted', status: 'deleting', done: [] });
const removed = ok({ do: 'remove_instance', workspace_id });
table('deleting', [
  ['removes what runs', deleting, see(observed()), 'deleting: removing_container'],
  ['removes where there is nothing', deleting, see(absent), 'deleting: removing_container'],
  ['ends when it is removed', { ...deleting, done: [removed] }, see(absent), 'gone'],
  ['removes again what came back', { ...deleting, done: [removed] }, see(observed()), 'deleting: removing_container'],
  ['ends at once without a node', { ...deleting, node: null }, see(null), 'gone'],
  ['waits for the node', deleting, see(null, { reachable: false }), 'deleting: wait node node-1 does not answer'],
  [
    'fails when the engine does',
    { ...deleting, done: times(6, failed({ do: 'remove_instance', workspace_id }, engineAway, now - 60_000)) },
    see(observed()),
    'failed provider_unavailable',
  ],
]);

test('every command has a name for those who wait', () => {
  const names = [
    { do: 'observe', workspace_id },
    ensure,
    commands.createInstance(fresh),
    start,
    commands.configure(fresh),
    commands.clone(fresh),
    read,
    preStart,
    preStop,
    startDb,
    commands.stopService(fresh, 'db'),
    stopOf(true),
    { do: 'remove_instance', workspace_id },
  ] as AgentCommand[];
  assert.deepEqual(names.map(commands.stepName), [
    'observing',
    'preparing_base',
    'creating_container',
    'starting_container',
    'configuring_ssh',
    'cloning',
    'reading_config',
    'installing',
    'running_hook',
    'starting_service:db',
    'stopping_service:db',
    'stopping_container',
    'removing_container',
  ]);
});

test('the identity for git goes along', () => {
  assert.deepEqual(commands.configure({ ...fresh, git: { name: 'A', email: 'a@b', host: 'https://github.com' } }).git, {
    name: 'A',
    email: 'a@b',
  });
});
