/**
 * A server, two nodes, and between them connections that deliver in order until they break. Whatever may happen is an
 * event; after each, what must never be is looked for.
 */
import assert from 'node:assert/strict';
import { NexusError } from '../../../src/contract/errors.ts';
import type { WorkspaceRequest } from '../../../src/core/lifecycle.ts';
import type { Candidate } from '../../../src/core/placement.ts';
import { ModelAgent, type Ending, type ToAgent, type ToServer } from './model-agent.ts';
import { ModelNode } from './model-node.ts';
import { ModelServer, type Looked } from './model-server.ts';

export type ModelEvent =
  | {
      readonly kind:
        | 'deliver_to_agent'
        | 'deliver_to_server'
        | 'look'
        | 'server_dies'
        | 'service_dies'
        | 'service_sickens'
        | 'instance_stops'
        | 'instance_vanishes';
    }
  | { readonly kind: 'finish'; readonly which: number; readonly ending: Ending }
  | { readonly kind: 'connection_breaks'; readonly isNoticed: boolean }
  | { readonly kind: 'connects' }
  /** So many turns in which nothing fails: how far it gets is where the next event finds it. */
  | { readonly kind: 'goes_well'; readonly turns: number }
  | { readonly kind: 'agent_dies'; readonly hasEffect: boolean }
  | { readonly kind: 'server_gives_up'; readonly which: number }
  | { readonly kind: 'time_passes'; readonly milliseconds: number }
  | {
      readonly kind: 'ask';
      readonly request: Extract<WorkspaceRequest, 'start' | 'stop' | 'delete'>;
      readonly force: boolean;
    };

type Link = {
  readonly agent: ModelAgent;
  toAgent: ToAgent[];
  toServer: ToServer[];
  isUp: boolean;
  /** A node that is away for a moment only is still called reachable. */
  isReachable: boolean;
};

export class ModelWorld {
  readonly server = new ModelServer();
  readonly nodes = [new ModelNode('node-1'), new ModelNode('node-2')];
  nowMs = 1_000_000;
  private readonly links = new Map(
    this.nodes.map((node): [string, Link] => [
      node.name,
      { agent: new ModelAgent(node), toAgent: [], toServer: [], isUp: true, isReachable: true },
    ]),
  );
  /** Somebody's work went with its instance, after this wish had found it there: it must not be made anew unasked. */
  private isLost = false;

  constructor() {
    this.server.want = { ...this.server.want, wantedAt: this.nowMs };
  }

  /** The node that the workspace is on; the first, until it is on one. */
  get node(): ModelNode {
    return this.link.agent.node;
  }

  private get link(): Link {
    const { node } = this.server.want;
    return this.links.get(node ?? 'node-1') as Link;
  }

  happen(event: ModelEvent): void {
    this.nowMs += 10;
    const before = this.nodes.map(({ instance }) => instance);
    this.cause(event);
    this.check(before);
  }

  private cause(event: ModelEvent): void {
    const { link, server } = this;
    switch (event.kind) {
      case 'deliver_to_agent': {
        const message = link.isUp ? link.toAgent.shift() : undefined;
        if (message) link.toServer.push(...link.agent.take(message));
        return;
      }
      case 'deliver_to_server': {
        const message = link.isUp ? link.toServer.shift() : undefined;
        return message && this.hear(message);
      }
      case 'finish':
        return this.fromAgent(link.agent.finish(event.which, event.ending));
      case 'look':
        return void this.look();
      case 'server_dies':
        this.disconnect();
        server.restart();
        return this.connect();
      case 'connection_breaks':
        this.disconnect();
        link.isReachable = !event.isNoticed;
        return;
      case 'connects':
        return this.connect();
      case 'goes_well':
        return void this.go(event.turns);
      case 'agent_dies':
        this.disconnect();
        return link.agent.kill(event);
      case 'server_gives_up':
        if (link.isUp) server.giveUp(event.which, this.nowMs);
        return;
      case 'time_passes':
        this.nowMs += event.milliseconds;
        return;
      case 'service_dies':
        return this.changeService({ state: 'stopped', health: 'unknown' });
      case 'service_sickens':
        return this.changeService({ state: 'running', health: 'unhealthy' });
      case 'instance_stops':
        return this.changeInstance(() => this.node.stop());
      case 'instance_vanishes': {
        const { want } = server;
        const isFound = want.done.some(
          ({ command, error }) => !error && command.do !== 'ensure_base' && command.do !== 'remove_instance',
        );
        this.isLost ||= this.node.isInUse && want.state === 'running' && isFound;
        return this.changeInstance(() => this.node.vanish());
      }
      case 'ask':
        return this.ask(event.request, event.force);
    }
  }

  private ask(request: Extract<WorkspaceRequest, 'start' | 'stop' | 'delete'>, force: boolean): void {
    if (this.server.isGone) return;
    try {
      this.server.ask(request, force, this.nowMs);
      this.isLost = false;
      this.server.wakeAt = this.nowMs;
    } catch (error) {
      if (!(error instanceof NexusError)) throw error;
    }
  }

  private changeService(news: Parameters<ModelNode['setService']>[1]): void {
    if (this.node.instance !== 'running' || this.node.services.length === 0) return;
    this.node.setService('db', news);
    if (this.link.isUp) this.link.toServer.push({ type: 'services', services: this.node.services });
  }

  private changeInstance(change: () => void): void {
    const before = this.node.instance;
    change();
    if (this.node.instance !== before) this.fromAgent([{ type: 'instance', state: this.node.instance }]);
  }

  private fromAgent(messages: readonly ToServer[]): void {
    if (this.link.isUp) this.link.toServer.push(...messages);
  }

  private hear(message: ToServer): void {
    const { server, link } = this;
    if (message.type === 'instance') server.reported(message.state);
    else if (message.type === 'services') server.servicesReported(message.services);
    else if (server.take(message.answer, this.nowMs)) link.toAgent.push({ type: 'forget', id: message.answer.id });
    server.wakeAt = this.nowMs;
  }

  private disconnect(): void {
    this.link.isUp = false;
    this.link.toAgent = [];
    this.link.toServer = [];
  }

  private connect(): void {
    const { link, server } = this;
    if (link.isUp) return;
    link.isUp = true;
    link.isReachable = true;
    link.toAgent = server.resend();
    link.toServer = [{ type: 'instance', state: link.agent.node.instance }];
    server.connected();
    server.wakeAt = this.nowMs;
  }

  look(): Looked {
    const { server } = this;
    const fleet = [...this.links.values()].map((link): Candidate => candidate(link));
    return server.look({ reachable: this.link.isReachable, fleet, nowMs: this.nowMs }, (message) => {
      if (this.link.isUp) this.link.toAgent.push(message);
    });
  }

  private check(before: readonly string[]): void {
    const there = this.nodes.filter(({ instance }) => instance !== 'absent');
    assert.ok(there.length <= 1, 'there is one instance at most');
    const isMade = this.nodes.some(({ instance }, index) => instance !== 'absent' && before[index] === 'absent');
    assert.ok(!(isMade && this.isLost), 'what was lost is not made anew unasked');
    if (!this.server.isGone) return;
    assert.equal(there.length, 0, 'what is deleted is gone, and does not come back');
    assert.ok(!this.nodes.some(({ hasRemains }) => hasRemains), 'of what is deleted nothing is left');
  }

  /** Nothing fails any more, and services that run are well. */
  calm(mostTurns: number): void {
    if (!this.link.isUp) this.connect();
    if (this.node.services.some(({ health }) => health === 'unhealthy')) this.changeService({ health: 'healthy' });
    if (this.go(mostTurns)) return;
    const last = this.server.want.done.slice(-3);
    assert.fail(`it does not come to rest: ${this.server.path.join(' → ')}, last ${JSON.stringify(last)}`);
  }

  /** All is delivered and done in turn, and time passes when there is nothing else. Returns whether it is at rest. */
  private go(turns: number): boolean {
    for (let turn = 0; turn < turns; turn++) {
      const { link } = this;
      if (link.toAgent.length > 0) this.happen({ kind: 'deliver_to_agent' });
      else if (link.toServer.length > 0) this.happen({ kind: 'deliver_to_server' });
      else if (link.agent.isBusy) this.happen({ kind: 'finish', which: turn, ending: { is: 'done' } });
      else if (this.rests()) return true;
    }
    return false;
  }

  /** Looks, and lets the time pass that the plan waits for. */
  private rests(): boolean {
    const looked = this.look();
    this.check(this.nodes.map(({ instance }) => instance));
    const { link, server } = this;
    const isQuiet = link.toAgent.length + link.toServer.length === 0 && !link.agent.isBusy;
    if (!isQuiet || !link.isUp || looked === 'acted') return false;
    const { wakeAt } = server;
    if (wakeAt !== null) this.nowMs = Math.max(this.nowMs, wakeAt);
    else assert.equal(looked, 'at_rest', 'what waits, with nothing under way, is woken at a time');
    return looked === 'at_rest' && wakeAt === null && server.open.length === 0;
  }
}

function candidate({ agent, isUp }: Link): Candidate {
  const health = {
    name: 'lxc' as const,
    ok: true,
    engine: null,
    version: null,
    disk_total_bytes: null,
    disk_free_bytes: null,
    reason: null,
  };
  return {
    name: agent.node.name,
    connected: isUp,
    draining: false,
    providers: [health],
    workspaces: agent.node.name === 'node-1' ? 0 : 1,
  };
}
