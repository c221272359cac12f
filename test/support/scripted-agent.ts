/**
 * An agent that speaks the real protocol over a real connection, with an engine of a few lines in the place of LXD: it
 * does what it is told at once, or fails, waits and dies as a test says. The engine outlives the agent.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectControl, type ControlClient, type Welcome } from '../../src/contract/control-client.ts';
import type {
  AgentCommand,
  CommandAnswer,
  Observation,
  ServerToPeer,
  ServiceReport,
} from '../../src/contract/control-protocol.ts';
import { toNexusError, type NexusError } from '../../src/contract/errors.ts';
import type { ProviderHealth } from '../../src/contract/node.ts';
import type { ResolvedConfig } from '../../src/contract/service-spec.ts';
import { withoutInstance } from '../../src/core/plan/without-instance.ts';
import { loadIdentity } from '../../src/lib/identity.ts';
import { silentLog } from './silent-log.ts';

const machine = 'machine-1';

export const plainConfig: ResolvedConfig = {
  source: 'config',
  services: [],
  lifecycle: {},
  hook_files: [],
  packages: [],
  image: null,
  notes: [],
};

type Failure = { readonly error: NexusError; times: number };

/** What is on a node. All workspaces have the same repository. */
export class ScriptedEngine {
  readonly instances = new Map<string, Observation>();
  /** Every command that had an effect, as `do` or `do:what`. */
  readonly log: string[] = [];
  readonly lastCommands = new Map<AgentCommand['do'], AgentCommand>();
  /** The agent's journal, which is on the node's disk. */
  readonly answers = new Map<string, Promise<CommandAnswer>>();
  config: ResolvedConfig = plainConfig;
  /** How services are right after their start. */
  startsAs: Partial<ServiceReport> = { state: 'running', health: 'healthy' };
  private readonly failures = new Map<string, Failure>();
  private readonly gates = new Map<string, Promise<void>>();
  private arrivals: { key: string; resolve: () => void }[] = [];
  private nextAddress = 2;

  fail(key: string, error: NexusError, times = Infinity): void {
    this.failures.set(key, { error, times });
  }

  heal(key: string): void {
    this.failures.delete(key);
  }

  /** Commands of this key wait until the returned function is called. */
  hold(key: string): () => void {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.gates.set(key, promise);
    return () => {
      this.gates.delete(key);
      resolve();
    };
  }

  /** Resolves when the next command of this key arrives. */
  arrival(key: string): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.arrivals.push({ key, resolve });
    return promise;
  }

  async perform(command: AgentCommand): Promise<Observation> {
    const key = keyOf(command);
    this.lastCommands.set(command.do, command);
    for (const arrival of this.arrivals.filter((one) => one.key === key)) arrival.resolve();
    this.arrivals = this.arrivals.filter((one) => one.key !== key);
    await this.gates.get(key);
    const failure = this.failures.get(key);
    if (failure && failure.times > 0) {
      failure.times -= 1;
      throw failure.error;
    }
    if (command.do !== 'observe') this.log.push(key);
    return this.apply(command);
  }

  seen(id: string): Observation {
    return this.instances.get(id) ?? withoutInstance(id, machine);
  }

  set(id: string, news: Partial<Observation>): Observation {
    const seen = { ...this.seen(id), ...news };
    this.instances.set(id, seen);
    return seen;
  }

  setService(id: string, name: string, news: Partial<ServiceReport>): Observation {
    const blank: ServiceReport = {
      name,
      state: 'stopped',
      health: 'unknown',
      detail: null,
      last_check: null,
      started_at: null,
      deaths: 0,
    };
    const { services } = this.seen(id);
    const known = services.find((service) => service.name === name);
    return this.set(id, {
      services: [...services.filter((service) => service !== known), { ...blank, ...known, ...news }],
    });
  }

  private apply(command: AgentCommand): Observation {
    const id = command.workspace_id;
    const seen = this.seen(id);
    switch (command.do) {
      case 'observe':
      case 'ensure_base':
        return seen;
      case 'create_instance': {
        if (seen.instance !== 'absent') return seen;
        const base = { image: command.image, packages: command.packages };
        const address = `10.${this.nextAddress >> 16}.${(this.nextAddress >> 8) & 255}.${this.nextAddress & 255}`;
        this.nextAddress += 1;
        return this.set(id, { instance: 'stopped', provider: 'lxc', address, base });
      }
      case 'start_instance':
        return this.set(id, { instance: 'running' });
      case 'configure':
        return this.set(id, { configured: true, host_key: 'ssh-ed25519 HOST' });
      case 'clone':
        return this.set(id, { clone: { commit: 'c'.repeat(40), branch: command.ref ?? 'main' } });
      case 'read_config':
        return this.set(id, { config: this.config });
      case 'run_hook':
        return this.set(id, { hooks_done: [...new Set([...seen.hooks_done, command.hook])] });
      case 'start_service':
        return this.setService(id, command.service.name, this.startsAs);
      case 'stop_service':
        return this.setService(id, command.service, { state: 'stopped', health: 'unknown' });
      case 'stop_instance':
        return this.set(id, {
          instance: 'stopped',
          configured: false,
          hooks_done: seen.hooks_done.filter((hook) => hook === 'create'),
          services: seen.services.map((service) => ({ ...service, state: 'stopped', health: 'unknown' })),
        });
      case 'remove_instance':
        this.instances.delete(id);
        return withoutInstance(id, machine);
    }
  }
}

function keyOf(command: AgentCommand): string {
  if (command.do === 'run_hook') return `run_hook:${command.hook}`;
  if (command.do === 'start_service') return `start_service:${command.service.name}`;
  if (command.do === 'stop_service') return `stop_service:${command.service}`;
  return command.do;
}

export type ScriptedAgent = AsyncDisposable & {
  readonly client: ControlClient;
  readonly welcomes: readonly Welcome[];
  readonly messages: readonly ServerToPeer[];
  /** Ids of commands in the order in which they came; an id that came again is there again. */
  readonly commandIds: readonly string[];
  /** Tells the server what there is, as after a change behind its back. */
  reportInstances(): void;
  reportServices(workspaceId: string): void;
};

/** Of an engine that is well. */
export const scriptedHealth: ProviderHealth = {
  name: 'lxc',
  ok: true,
  engine: 'scripted',
  version: '1',
  disk_total_bytes: 100e9,
  disk_free_bytes: 80e9,
  reason: null,
};

export async function startScriptedAgent(options: {
  readonly url: string;
  readonly engine: ScriptedEngine;
  readonly joinToken?: string;
  readonly name?: string;
  /** Kept over restarts of the agent; else a new one. */
  readonly stateDir?: string;
  readonly providers?: readonly ProviderHealth[];
  readonly version?: string;
}): Promise<ScriptedAgent> {
  const { url, engine, name = 'node-1' } = options;
  const stateDir = options.stateDir ?? (await mkdtemp(join(tmpdir(), 'nexus-agent-')));
  const welcomes: Welcome[] = [];
  const messages: ServerToPeer[] = [];
  const commandIds: string[] = [];
  const { answers } = engine;

  async function answerTo(id: string, command: AgentCommand): Promise<CommandAnswer> {
    try {
      client.send({ type: 'progress', id, line: `${command.do} begins` });
      return { type: 'answer', id, ok: true, seen: await engine.perform(command) };
    } catch (error) {
      return { type: 'answer', id, ok: false, error: toNexusError(error).toBody() };
    }
  }
  function onMessage(message: ServerToPeer): void {
    messages.push(message);
    if (message.type === 'forget') for (const id of message.ids) answers.delete(id);
    if (message.type !== 'command') return;
    const { id, command } = message;
    commandIds.push(id);
    const known = answers.get(id);
    if (known) return void known.then((answer) => client.send(answer));
    const answer = answerTo(id, command);
    answers.set(id, answer);
    void answer.then((value) => client.send(value));
  }

  const { promise: welcomed, resolve } = Promise.withResolvers<void>();
  const client = connectControl({
    url,
    role: 'agent',
    name,
    version: options.version ?? '1.0.0',
    machine,
    stateDir,
    joinToken: options.joinToken,
    identity: await loadIdentity(join(stateDir, 'identity.pem')),
    onWelcome(welcome) {
      welcomes.push(welcome);
      agent.reportInstances();
      resolve();
    },
    onMessage,
    onDown: () => undefined,
    heartbeat: () => ({ providers: [...(options.providers ?? [scriptedHealth])] }),
    log: silentLog,
    intervalMs: 200,
  });
  const agent: ScriptedAgent = {
    client,
    welcomes,
    messages,
    commandIds,
    reportInstances() {
      const instances = [...engine.instances.values()].flatMap(({ workspace_id, instance: state }) =>
        state === 'absent' ? [] : [{ workspace_id, state }],
      );
      client.send({ type: 'instances', instances });
    },
    reportServices(workspaceId) {
      client.send({ type: 'services', workspace_id: workspaceId, services: engine.seen(workspaceId).services });
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      if (options.stateDir === undefined) await rm(stateDir, { recursive: true, force: true });
    },
  };
  await Promise.race([welcomed, client.ended.then((error) => Promise.reject(error ?? new Error('it ended')))]);
  return agent;
}
