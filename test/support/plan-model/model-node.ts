/**
 * A node of the model: at most one instance of the workspace, the marks in it, and what no command may ever do to
 * them. It refuses what cannot be done in its state, as an agent does: the server's picture of it may be old.
 */
import assert from 'node:assert/strict';
import type { AgentCommand, Observation, ServiceReport } from '../../../src/contract/control-protocol.ts';
import { NexusError } from '../../../src/contract/errors.ts';
import { serviceSpec, type HookName, type ResolvedConfig } from '../../../src/contract/service-spec.ts';
import { isHealthy } from '../../../src/core/plan/health.ts';
import { withoutInstance } from '../../../src/core/plan/without-instance.ts';

export const workspaceId = 'ws-abcdefghijkl';
const machine = 'm';

export const specs = [
  serviceSpec.parse({ name: 'web', command: 'w', port: 3000, depends_on: ['api'] }),
  serviceSpec.parse({ name: 'api', command: 'a', port: 4000, depends_on: ['db'] }),
  serviceSpec.parse({ name: 'db', command: 'd', port: 5432 }),
];

/** It asks for a package that the first base lacks: the instance is made twice. */
export const repository: ResolvedConfig = {
  source: 'config',
  services: specs,
  lifecycle: { pre_start: 'p', post_start: 'q', pre_stop: 's' },
  hook_files: ['create', 'up', 'down'],
  packages: ['postgresql'],
  image: null,
  notes: [],
};

const earlierHook: Partial<Record<HookName, HookName>> = { pre_start: 'create', up: 'pre_start', post_start: 'up' };

export class ModelNode {
  readonly name: string;
  private seen: Observation = withoutInstance(workspaceId, machine);
  private readonly bases = new Set<string>();
  private createHookRuns = 0;
  /** Volumes, records and ports of an instance: they stay when it goes without a removal. */
  hasRemains = false;
  /** Somebody's work is in the instance. */
  isInUse = false;

  constructor(name: string) {
    this.name = name;
  }

  get instance(): Observation['instance'] {
    return this.seen.instance;
  }

  /** What an agent tells; into a stopped instance nobody can look. */
  observe(): Observation {
    const { seen } = this;
    return seen.instance === 'running' ? seen : { ...seen, clone: null, config: null, hooks_done: [], services: [] };
  }

  get services(): ServiceReport[] {
    return this.seen.services;
  }

  get hooksDone(): readonly HookName[] {
    return this.seen.hooks_done;
  }

  /** @throws NexusError what an agent would answer; AssertionError for what must never be asked of it */
  perform(command: AgentCommand, { isDeletion }: { isDeletion: boolean }): Observation {
    this.apply(command, isDeletion);
    return this.observe();
  }

  private apply(command: AgentCommand, isDeletion: boolean): void {
    switch (command.do) {
      case 'observe':
        return;
      case 'ensure_base':
        return void this.bases.add(baseOf(command));
      case 'create_instance':
        return this.create(command);
      case 'start_instance':
        this.require('stopped', 'running');
        return this.set({ instance: 'running' });
      case 'configure':
        this.require('running');
        return this.set({ configured: true, host_key: 'ssh-ed25519 H' });
      case 'clone':
        this.require('running');
        return this.set({ clone: { commit: 'c', branch: 'main' } });
      case 'read_config':
        this.requireClone();
        return this.set({ config: repository });
      case 'run_hook':
        return this.runHook(command.hook);
      case 'start_service':
        this.requireClone();
        return this.startService(command.service.name);
      case 'stop_service':
        return this.seen.instance === 'running'
          ? this.setService(command.service, { state: 'stopped', health: 'unknown' })
          : undefined;
      case 'stop_instance':
        return this.stop();
      case 'remove_instance':
        assert.ok(!this.isInUse || isDeletion, 'an instance in use is never replaced');
        this.hasRemains = false;
        return this.vanish();
    }
  }

  private create(command: Extract<AgentCommand, { do: 'create_instance' }>): void {
    if (this.seen.instance !== 'absent') return;
    // As the agent does: what was there when it was asked for may be gone by now.
    this.bases.add(baseOf(command));
    this.hasRemains = true;
    this.createHookRuns = 0;
    const base = { image: command.image, packages: command.packages };
    this.set({
      ...withoutInstance(workspaceId, machine),
      instance: 'stopped',
      provider: 'lxc',
      address: '10.0.0.2',
      base,
    });
  }

  private runHook(hook: HookName): void {
    this.requireClone();
    const isOfStop = hook === 'pre_stop' || hook === 'stop' || hook === 'down';
    if (!isOfStop) assert.deepEqual(this.seen.base?.packages, ['postgresql'], 'hooks find the packages');
    this.isInUse = true;
    const needed = earlierHook[hook];
    assert.ok(!needed || this.seen.hooks_done.includes(needed), `${needed} comes before ${hook}`);
    if (this.seen.hooks_done.includes(hook)) return;
    if (hook === 'create') this.createHookRuns += 1;
    assert.ok(this.createHookRuns <= 1, 'create runs once in the life of an instance');
    this.set({ hooks_done: [...this.seen.hooks_done, hook] });
  }

  private startService(name: string): void {
    assert.ok(this.seen.hooks_done.includes('up'), 'services come after the hooks');
    this.setService(name, { state: 'running', health: 'healthy' });
  }

  setService(name: string, news: Partial<ServiceReport>): void {
    const known = this.seen.services.find((service) => service.name === name);
    const others = this.seen.services.filter((service) => service !== known);
    this.set({ services: [...others, { ...blankReport(name), ...known, ...news }] });
  }

  isServiceWell(name: string): boolean {
    const spec = specs.find((one) => one.name === name);
    const report = this.seen.services.find((one) => one.name === name);
    return spec !== undefined && report !== undefined && isHealthy(spec, report);
  }

  stop(): void {
    if (this.seen.instance !== 'running') return;
    const hooks_done = this.seen.hooks_done.filter((hook) => hook === 'create');
    const services = this.seen.services.map((service) => ({
      ...service,
      state: 'stopped' as const,
      health: 'unknown' as const,
    }));
    this.set({ instance: 'stopped', configured: false, hooks_done, services });
  }

  vanish(): void {
    this.seen = withoutInstance(workspaceId, machine);
    this.isInUse = false;
  }

  private require(...states: Observation['instance'][]): void {
    const { instance } = this.seen;
    if (states.includes(instance)) return;
    if (instance === 'absent') throw new NexusError('not_found', { kind: 'instance', name: workspaceId });
    throw new NexusError('workspace_not_running', { name: workspaceId, status: instance });
  }

  private requireClone(): void {
    this.require('running');
    if (!this.seen.clone) throw new NexusError('clone_failed', { url: 'u', reason: 'there is no repository' });
  }

  private set(news: Partial<Observation>): void {
    this.seen = { ...this.seen, ...news };
  }
}

function baseOf({ image, packages }: { readonly image: string; readonly packages: readonly string[] }): string {
  return JSON.stringify([image, packages]);
}

function blankReport(name: string): ServiceReport {
  return { name, state: 'stopped', health: 'unknown', detail: null, last_check: null, started_at: null, deaths: 0 };
}
