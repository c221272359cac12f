/**
 * The plan against a model of a node under arbitrary failures: steps fail, answers are lost, instances stop and vanish,
 * nodes go away, and wishes change in between. Once the world is quiet, the workspace becomes what was asked for.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { AgentCommand, Observation, ServiceReport } from '../../contract/control-protocol.ts';
import { NexusError, type ErrorBody } from '../../contract/errors.ts';
import { serviceSpec, type HookName, type ResolvedConfig } from '../../contract/service-spec.ts';
import type { WorkspaceStatus } from '../../contract/workspace.ts';
import { transitions } from '../lifecycle.ts';
import { adoptConfig } from './adopt-config.ts';
import { isHealthy } from './health.ts';
import { plan } from './plan.ts';
import type { Plan, Want } from './plan-types.ts';

const id = 'ws-abcdefghijkl';
const specs = [
  serviceSpec.parse({ name: 'web', command: 'w', port: 3000, depends_on: ['api'] }),
  serviceSpec.parse({ name: 'api', command: 'a', port: 4000, depends_on: ['db'] }),
  serviceSpec.parse({ name: 'db', command: 'd', port: 5432 }),
];
const repository: ResolvedConfig = {
  source: 'config',
  services: specs,
  lifecycle: { pre_start: 'p', post_start: 'q', pre_stop: 's' },
  hook_files: ['create', 'up', 'down'],
  packages: ['postgresql'],
  image: null,
  notes: [],
};

type Trouble =
  | {
      readonly kind:
        | 'passing'
        | 'answer_lost'
        | 'instance_stops'
        | 'instance_vanishes'
        | 'server_restarts'
        | 'service_dies';
    }
  | { readonly kind: 'node_away'; readonly turns: number }
  | { readonly kind: 'ask'; readonly state: Want['state']; readonly force: boolean };

const passing = new NexusError('provider_unavailable', { provider: 'lxc', reason: 'it restarts' }).toBody();

/** An instance and the marks in it, as an agent would keep them. */
class ModelNode {
  seen: Observation = this.absent();
  createdWith: Observation['base'] = null;
  bases = new Set<string>();
  /** An instance in use vanished under a wish that it had begun to fulfil. */
  isLost = false;
  isInUse = false;
  createHookRuns = 0;

  absent(): Observation {
    return {
      workspace_id: id,
      instance: 'absent',
      provider: null,
      address: null,
      machine: 'm',
      base: null,
      configured: false,
      host_key: null,
      clone: null,
      config: null,
      hooks_done: [],
      services: [],
    };
  }

  /** @throws AssertionError when the step breaks what must hold */
  apply(command: AgentCommand): void {
    const isRunning = this.seen.instance === 'running';
    switch (command.do) {
      case 'observe':
        return;
      case 'ensure_base':
        return void this.bases.add(JSON.stringify([command.image, command.packages]));
      case 'create_instance':
        assert.ok(this.bases.has(JSON.stringify([command.image, command.packages])), 'the base is there');
        assert.ok(!this.isLost, 'what was lost is not made anew unasked');
        if (this.seen.instance !== 'absent') return;
        this.createdWith = { image: command.image, packages: command.packages };
        this.createHookRuns = 0;
        this.isInUse = false;
        return this.set({ ...this.absent(), instance: 'stopped', address: '10.0.0.2', base: this.createdWith });
      case 'start_instance':
        assert.notEqual(this.seen.instance, 'absent');
        return isRunning ? undefined : this.set({ instance: 'running' });
      case 'configure':
        assert.ok(isRunning);
        return this.set({ configured: true, host_key: 'ssh-ed25519 H' });
      case 'clone':
        assert.ok(isRunning && this.seen.configured, 'sshd is there before the clone');
        return this.set({ clone: { commit: 'c', branch: 'main' } });
      case 'read_config':
        assert.ok(isRunning && this.seen.clone);
        return this.set({ config: repository });
      case 'run_hook':
        return this.runHook(command.hook);
      case 'start_service':
        return this.startService(command.service.name);
      case 'stop_service':
        return this.setService(command.service, { state: 'stopped', health: 'unknown' });
      case 'stop_instance':
        return this.stop();
      case 'remove_instance':
        assert.ok(!this.isInUse || this.deleting, 'an instance in use is never replaced');
        return this.set(this.absent());
    }
  }
  deleting = false;

  runHook(hook: HookName): void {
    assert.ok(this.seen.instance === 'running' && this.seen.clone, `${hook} runs in the repository`);
    assert.deepEqual(this.seen.base?.packages, ['postgresql'], 'hooks find the packages');
    this.isInUse = true;
    if (hook === 'create') this.createHookRuns += 1;
    assert.ok(this.createHookRuns <= 1, 'create runs once');
    const before: Partial<Record<HookName, HookName>> = { pre_start: 'create', up: 'pre_start', post_start: 'up' };
    const needed = before[hook];
    assert.ok(!needed || this.seen.hooks_done.includes(needed), `${needed} comes before ${hook}`);
    if (!this.seen.hooks_done.includes(hook)) this.set({ hooks_done: [...this.seen.hooks_done, hook] });
  }

  startService(name: string): void {
    assert.ok(this.seen.hooks_done.includes('up'), 'services come after the hooks');
    const spec = specs.find((candidate) => candidate.name === name);
    for (const dependency of spec?.depends_on ?? []) {
      const report = this.seen.services.find((service) => service.name === dependency);
      const needed = specs.find((candidate) => candidate.name === dependency);
      assert.ok(report && needed && isHealthy(needed, report), `${dependency} is healthy before ${name} starts`);
    }
    this.setService(name, { state: 'running', health: 'healthy' });
  }

  setService(name: string, news: Partial<ServiceReport>): void {
    const known = this.seen.services.find((service) => service.name === name);
    const blank: ServiceReport = {
      name,
      state: 'stopped',
      health: 'unknown',
      detail: null,
      last_check: null,
      started_at: null,
      deaths: 0,
    };
    this.set({
      services: [...this.seen.services.filter((service) => service.name !== name), { ...blank, ...known, ...news }],
    });
  }

  stop(): void {
    if (this.seen.instance !== 'running') return;
    const hooks_done = this.seen.hooks_done.filter((hook) => hook === 'create');
    const services = this.seen.services.map((service) => ({ ...service, state: 'stopped' as const }));
    this.set({ instance: 'stopped', configured: false, hooks_done, services });
  }

  set(news: Partial<Observation>): void {
    this.seen = { ...this.seen, ...news };
  }

  /** A stopped instance cannot be looked into. */
  observe(): Observation {
    const { seen } = this;
    return seen.instance === 'running' ? seen : { ...seen, clone: null, config: null, hooks_done: [], services: [] };
  }
}

/** The server's side: the row, the journal, what was seen last. */
class ModelServer {
  node = new ModelNode();
  nowMs = 0;
  seen: Observation | null = null;
  away = 0;
  isGone = false;
  path: WorkspaceStatus[] = ['pending'];
  want: Want = {
    id,
    name: 'shop',
    state: 'running',
    force: false,
    status: 'pending',
    node: 'node-1',
    provider: 'lxc',
    image: 'debian:12',
    packages: [],
    limits: { cpu: 1, memory_bytes: 1, disk_bytes: 1, processes: 1 },
    sshKeys: ['k'],
    git: null,
    repo: { url: 'u', ref: null, upstreamUrl: null },
    upload: null,
    config: null,
    services: [],
    wantedAt: 0,
    done: [],
    configuredWith: null,
  };

  /** One look, with what goes wrong during it. Returns whether there was nothing to do. */
  turn(trouble: Trouble | null): boolean {
    this.nowMs += 50;
    if (this.away > 0) this.away -= 1;
    if (trouble) this.cause(trouble);
    const next = plan(
      this.want,
      { reachable: this.away === 0, observation: this.seen, blind: null, fleet: [] },
      this.nowMs,
    );
    return this.carryOut(next, trouble);
  }

  cause(trouble: Trouble): void {
    if (trouble.kind === 'instance_stops') {
      this.node.stop();
      this.seen = null;
    }
    if (trouble.kind === 'instance_vanishes') {
      this.node.isLost ||= this.node.isInUse && this.want.state === 'running' && this.want.done.length > 0;
      this.node.set(this.node.absent());
      this.node.isInUse = false;
      this.seen = null;
    }
    if (trouble.kind === 'service_dies' && this.node.seen.services.length > 0) {
      this.node.setService('db', { state: 'stopped', health: 'unknown' });
      this.seen = this.seen && this.node.observe();
    }
    if (trouble.kind === 'server_restarts') this.seen = null;
    if (trouble.kind === 'node_away') this.away = trouble.turns;
    if (trouble.kind === 'ask') this.ask(trouble.state, trouble.force);
  }

  ask(state: Want['state'], force: boolean): void {
    if (this.want.state === 'deleted') return;
    const status = ({ running: 'creating', stopped: 'stopping', deleted: 'deleting' } as const)[state];
    this.node.deleting = state === 'deleted';
    this.node.isLost = false;
    this.call(status);
    this.want = { ...this.want, state, force, done: [], wantedAt: this.nowMs };
  }

  call(status: WorkspaceStatus): void {
    const from = this.want.status;
    assert.ok(from === status || transitions[from].includes(status), `${from} may become ${status}`);
    if (from !== status) this.path.push(status);
    this.want = { ...this.want, status };
  }

  carryOut(next: Plan, trouble: Trouble | null): boolean {
    switch (next.kind) {
      case 'do':
        this.call(next.status);
        for (const step of next.steps) if (step.do === 'command') this.run(step.command, trouble);
        return false;
      case 'wait':
        this.call(next.status);
        this.nowMs = Math.max(this.nowMs, next.untilMs ?? 0);
        return false;
      case 'settled':
        this.call(next.status);
        return true;
      case 'failed':
        this.call('error');
        return true;
      case 'gone':
        this.isGone = true;
        return true;
    }
  }

  run(command: AgentCommand, trouble: Trouble | null): void {
    if (trouble?.kind === 'passing') return this.answer(command, passing);
    this.node.apply(command);
    // The server dies before it wrote the answer down: the row of the journal is sent again and answered from what is.
    if (trouble?.kind === 'answer_lost') this.node.apply(command);
    this.answer(command, null);
  }

  answer(command: AgentCommand, error: ErrorBody | null): void {
    this.seen = error ? null : this.node.observe();
    if (command.do === 'observe') return;
    const done = [...this.want.done, { command, error, startedAt: this.nowMs, endedAt: this.nowMs }];
    this.want = { ...this.want, done };
    if (error) return;
    if (command.do === 'configure') this.want = { ...this.want, configuredWith: command };
    if (command.do === 'read_config') this.adopt();
  }

  adopt(): void {
    const { image, config } = this.want;
    const adoption = adoptConfig({ image, request: {}, config }, { ...this.node.observe(), config: repository });
    if (adoption.kind === 'base') this.want = { ...this.want, image: adoption.image, packages: adoption.packages };
    else
      this.want = {
        ...this.want,
        config: adoption.config,
        services: adoption.config.services.map((spec) => ({ spec, want: 'running' })),
      };
  }
}

const trouble: fc.Arbitrary<Trouble | null> = fc.oneof(
  { weight: 6, arbitrary: fc.constant(null) },
  {
    weight: 4,
    arbitrary: fc.constantFrom('passing', 'answer_lost', 'server_restarts', 'service_dies').map((kind) => ({ kind })),
  },
  { weight: 1, arbitrary: fc.constantFrom('instance_stops', 'instance_vanishes').map((kind) => ({ kind })) },
  { weight: 1, arbitrary: fc.integer({ min: 1, max: 5 }).map((turns) => ({ kind: 'node_away', turns }) as const) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('ask' as const),
      state: fc.constantFrom('running', 'stopped', 'running', 'deleted' as const),
      force: fc.boolean(),
    }),
  },
);

function settle(server: ModelServer): void {
  for (let turns = 0; turns < 400; turns++) if (server.turn(null)) return;
  assert.fail(`it does not settle: ${server.path.join(' → ')}`);
}

test('without trouble a workspace comes up by the shortest way', () => {
  const server = new ModelServer();
  settle(server);
  assert.deepEqual(server.path, ['pending', 'creating', 'running']);
  const steps = server.want.done.map(({ command }) => command.do);
  const first = ['ensure_base', 'create_instance', 'start_instance', 'configure', 'clone', 'read_config'];
  const again = [
    'ensure_base',
    'remove_instance',
    'create_instance',
    'start_instance',
    'configure',
    'clone',
    'read_config',
    'configure',
  ];
  const hooks = ['run_hook', 'run_hook', 'run_hook', 'start_service', 'start_service', 'start_service', 'run_hook'];
  assert.deepEqual(steps, [...first, ...again, ...hooks]);
});

test('whatever goes wrong, it becomes what was asked for once the world is quiet', () => {
  fc.assert(
    fc.property(fc.array(trouble, { maxLength: 60 }), (troubles) => {
      const server = new ModelServer();
      for (const one of troubles) {
        if (server.isGone) break;
        server.turn(one);
      }
      server.away = 0;
      if (!server.isGone) settle(server);
      // An engine that failed for too long ends in error: another try is asked for, and there is nothing in its way.
      if (server.want.status === 'error') {
        server.ask(server.want.state, false);
        // A deletion is asked for anew by whoever asked first.
        if (server.want.state === 'deleted') server.want = { ...server.want, done: [], status: 'deleting' };
        settle(server);
      }
      const { instance } = server.node.seen;
      if (server.want.state === 'deleted') return assert.deepEqual([server.isGone, instance], [true, 'absent']);
      if (server.want.state === 'stopped') return assert.ok(server.want.status === 'stopped' && instance !== 'running');
      assert.equal(server.want.status, 'running');
      for (const spec of specs) {
        const report = server.node.seen.services.find((service) => service.name === spec.name);
        assert.ok(report && isHealthy(spec, report), `${spec.name} is healthy`);
      }
      assert.ok(server.node.seen.hooks_done.includes('post_start'));
    }),
    { numRuns: 2000 },
  );
});
