/**
 * The server of the model: the row, the journal of operations, and what was seen, as `src/server/reconcile` keeps
 * them; the plan is the real one. It holds the plan to what a plan may be.
 */
import assert from 'node:assert/strict';
import type { AgentCommand, Observation } from '../../../src/contract/control-protocol.ts';
import { NexusError, type ErrorBody } from '../../../src/contract/errors.ts';
import { refusal, transitions, type WorkspaceRequest } from '../../../src/core/lifecycle.ts';
import { adoptConfig } from '../../../src/core/plan/adopt-config.ts';
import { plan } from '../../../src/core/plan/plan.ts';
import type { Plan, Seen, Want } from '../../../src/core/plan/plan-types.ts';
import type { Candidate } from '../../../src/core/placement.ts';
import type { WorkspaceStatus } from '../../../src/contract/workspace.ts';
import { checkStep } from './check-step.ts';
import type { Answered, CommandMessage } from './model-agent.ts';
import { repository, workspaceId } from './model-node.ts';

type Operation = {
  readonly id: string;
  readonly command: AgentCommand;
  readonly generation: number;
  readonly startedAt: number;
  endedAt: number | null;
  error: ErrorBody | null;
};

/** `waits`: it was told when to look again, or by what it will be woken. */
export type Looked = 'acted' | 'waits' | 'at_rest';

const longestWaitMs = 15 * 60_000;

export class ModelServer {
  want: Want = firstWant();
  generation = 1;
  isGone = false;
  path: WorkspaceStatus[] = ['pending'];
  /** When to look again at the latest; null: when something happens. */
  wakeAt: number | null = null;
  private operations: Operation[] = [];
  private lastId = 0;
  private observation: Observation | null = null;
  private blind: Seen['blind'] = null;
  private looking: string | null = null;
  /** Sent by this process of the server: a new one begins with none. */
  private underWay = new Set<string>();
  /** Sent by the present connection first: only such an answer tells what is, and not what was. */
  private current = new Set<string>();
  private configuredWith: Want['configuredWith'] = null;

  get open(): readonly Operation[] {
    return this.operations.filter(({ endedAt }) => endedAt === null);
  }

  get hasLookUnderWay(): boolean {
    return this.looking !== null;
  }

  /** @throws NexusError as the API refuses it */
  ask(request: Extract<WorkspaceRequest, 'start' | 'stop' | 'delete'>, force: boolean, nowMs: number): void {
    const refused = refusal(this.want.status, request, { name: 'shop', force });
    if (refused) throw refused;
    const state = ({ start: 'running', stop: 'stopped', delete: 'deleted' } as const)[request];
    this.call(({ running: 'creating', stopped: 'stopping', deleted: 'deleting' } as const)[state]);
    this.generation += 1;
    this.want = { ...this.want, state, force, wantedAt: nowMs, done: [] };
  }

  /** Everything in memory is lost; the rows are not. */
  restart(): void {
    this.observation = null;
    this.blind = null;
    this.looking = null;
    this.underWay = new Set();
    this.current = new Set();
    this.wakeAt = 0;
  }

  /** What a connection that is new gets: all that is under way, again. */
  resend(): CommandMessage[] {
    const looked =
      this.looking === null ? [] : [this.message(this.looking, { do: 'observe', workspace_id: workspaceId })];
    return [
      ...this.open.filter(({ id }) => this.underWay.has(id)).map(({ id, command }) => this.message(id, command)),
      ...looked,
    ];
  }

  connected(): void {
    this.observation = null;
    this.blind = null;
    this.current = new Set();
  }

  reported(state: Observation['instance']): void {
    if (this.observation && this.observation.instance !== state) this.observation = null;
  }

  servicesReported(services: Observation['services']): void {
    if (this.observation) this.observation = { ...this.observation, services: [...services] };
  }

  /** One pass of the loop of a workspace. */
  look(
    at: { readonly reachable: boolean; readonly fleet: readonly Candidate[]; readonly nowMs: number },
    send: (message: CommandMessage) => void,
  ): Looked {
    if (this.isGone) return this.waitUntil(null, 'at_rest');
    for (const { id, command } of this.open) this.transmit(id, command, send);
    const awaited = this.open.filter(
      ({ generation }) => this.want.state === 'running' || generation === this.generation,
    );
    if (awaited.length > 0) return this.waitUntil(null);
    const { reachable, fleet, nowMs } = at;
    const done = this.operations
      .flatMap(({ endedAt, generation, ...one }) =>
        endedAt !== null && generation === this.generation ? [{ ...one, endedAt }] : [],
      )
      .sort((a, b) => a.endedAt - b.endedAt);
    this.want = { ...this.want, done, configuredWith: this.configuredWith };
    const seen: Seen = {
      reachable: this.want.node !== null && reachable,
      observation: this.observation,
      blind: this.blind,
      fleet,
    };
    return this.carryOut(plan(this.want, seen, nowMs), { ...at, send });
  }

  private carryOut(
    next: Plan,
    { reachable, nowMs, send }: { reachable: boolean; nowMs: number; send: (message: CommandMessage) => void },
  ): Looked {
    switch (next.kind) {
      case 'do':
        this.call(next.status);
        assert.ok(next.steps.length > 0, 'a plan to do something has a step');
        for (const step of next.steps) {
          if (step.do === 'place') this.want = { ...this.want, node: step.node };
          else this.begin(step.command, nowMs, send);
        }
        return this.waitUntil(next.steps.some((step) => step.do === 'place') ? nowMs : null, 'acted');
      case 'wait':
        this.call(next.status);
        assert.notEqual(next.reason, '', 'a wait says why');
        if (reachable || this.want.node === null) assert.ok(next.untilMs !== null, `"${next.reason}" has an end`);
        if (next.untilMs !== null) {
          assert.ok(next.untilMs > nowMs, `"${next.reason}" ends later than now`);
          assert.ok(next.untilMs <= nowMs + longestWaitMs, `"${next.reason}" ends soon enough`);
        }
        return this.waitUntil(next.untilMs);
      case 'settled':
        this.call(next.status);
        return this.waitUntil(next.untilMs, 'at_rest');
      case 'failed':
        this.call('error');
        return this.waitUntil(null, 'at_rest');
      case 'gone':
        if (this.open.length > 0) return this.waitUntil(null);
        this.isGone = true;
        return this.waitUntil(null, 'at_rest');
    }
  }

  private waitUntil(untilMs: number | null, looked: Looked = 'waits'): Looked {
    this.wakeAt = untilMs;
    return looked;
  }

  private begin(command: AgentCommand, nowMs: number, send: (message: CommandMessage) => void): void {
    if (command.do === 'observe') {
      if (this.looking !== null) return;
      this.looking = this.newId();
      return send(this.message(this.looking, command));
    }
    const open = this.open.filter(({ generation }) => generation === this.generation).map((one) => one.command);
    checkStep({ command, open, done: this.want.done, observation: this.observation, nowMs });
    const operation = {
      id: this.newId(),
      command,
      generation: this.generation,
      startedAt: nowMs,
      endedAt: null,
      error: null,
    };
    this.operations.push(operation);
    this.transmit(operation.id, command, send);
  }

  private transmit(id: string, command: AgentCommand, send: (message: CommandMessage) => void): void {
    if (this.underWay.has(id)) return;
    this.underWay.add(id);
    send(this.message(id, command));
  }

  private message(id: string, command: AgentCommand): CommandMessage {
    return { type: 'command', id, command, isDeletion: this.want.state === 'deleted' };
  }

  /** Returns whether it was awaited: an answer may come twice, or after its time. */
  take(answer: Answered, nowMs: number): boolean {
    if (answer.id === this.looking) {
      this.looking = null;
      if ('seen' in answer)
        [this.observation, this.blind] = [this.current.delete(answer.id) ? answer.seen : null, null];
      else this.blind = { error: answer.error, attempts: (this.blind?.attempts ?? 0) + 1, atMs: nowMs };
      return true;
    }
    const operation = this.open.find(({ id }) => id === answer.id);
    if (!operation || !this.underWay.delete(answer.id)) return false;
    operation.endedAt = nowMs;
    operation.error = 'error' in answer ? answer.error : null;
    this.observation = 'seen' in answer && this.current.delete(answer.id) ? answer.seen : null;
    this.blind = null;
    if ('seen' in answer) this.adopt(operation, answer.seen);
    return true;
  }

  private adopt({ command, generation }: Operation, seen: Observation): void {
    if (command.do === 'configure') this.configuredWith = command;
    if (command.do !== 'read_config' || generation !== this.generation || !seen.config) return;
    const { image, config } = this.want;
    const adoption = adoptConfig({ image, request: {}, config }, { ...seen, config: repository });
    if (adoption.kind === 'base') this.want = { ...this.want, image: adoption.image, packages: adoption.packages };
    else {
      const services = adoption.config.services.map((spec) => ({ spec, want: 'running' as const }));
      this.want = { ...this.want, config: adoption.config, services };
    }
  }

  /** The node is connected and does not answer: one of what is under way is given up, and goes on there. */
  giveUp(which: number, nowMs: number): void {
    const waited = [...this.underWay, ...(this.looking === null ? [] : [this.looking])];
    const id = waited[which % Math.max(1, waited.length)];
    if (id !== undefined)
      this.take({ id, error: new NexusError('timeout', { what: 'it', seconds: 1 }).toBody() }, nowMs);
  }

  private newId(): string {
    this.lastId += 1;
    const id = `op-${this.lastId}`;
    this.current.add(id);
    return id;
  }

  private call(status: WorkspaceStatus): void {
    const from = this.want.status;
    assert.ok(from === status || transitions[from].includes(status), `${from} may become ${status}`);
    if (from !== status) this.path.push(status);
    this.want = { ...this.want, status };
  }
}

function firstWant(): Want {
  return {
    id: workspaceId,
    name: 'shop',
    state: 'running',
    force: false,
    status: 'pending',
    node: null,
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
}
