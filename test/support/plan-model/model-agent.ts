/** The agent of the model: its journal, which a kill leaves, and what it has under way, which a kill ends. */
import type { AgentCommand, Observation } from '../../../src/contract/control-protocol.ts';
import { toNexusError, type ErrorBody, type NexusError } from '../../../src/contract/errors.ts';
import { laneOf } from '../../../src/agent/commands/lanes.ts';
import type { ModelNode } from './model-node.ts';

export type CommandMessage = {
  readonly type: 'command';
  readonly id: string;
  readonly command: AgentCommand;
  readonly isDeletion: boolean;
};
export type ToAgent = CommandMessage | { readonly type: 'forget'; readonly id: string };
export type Answered =
  | { readonly id: string; readonly seen: Observation }
  | { readonly id: string; readonly error: ErrorBody };
export type ToServer =
  | { readonly type: 'answer'; readonly answer: Answered }
  | { readonly type: 'instance'; readonly state: Observation['instance'] }
  | { readonly type: 'services'; readonly services: Observation['services'] };

/** What comes of a command: it is done, or fails before or after it had its effect. */
export type Ending = { readonly is: 'done' } | { readonly is: 'fails' | 'fails_after'; readonly error: NexusError };

export class ModelAgent {
  readonly node: ModelNode;
  private readonly journal = new Map<string, Answered>();
  private running: CommandMessage[] = [];

  constructor(node: ModelNode) {
    this.node = node;
  }

  get isBusy(): boolean {
    return this.running.length > 0;
  }

  /** Returns what it answers at once. */
  take(message: ToAgent): ToServer[] {
    if (message.type === 'forget') {
      this.journal.delete(message.id);
      return [];
    }
    const known = this.journal.get(message.id);
    if (known) return [{ type: 'answer', answer: known }];
    if (!this.running.some(({ id }) => id === message.id)) this.running.push(message);
    return [];
  }

  /** Ends one of those that are first in their lane; `which` chooses. */
  finish(which: number, ending: Ending): ToServer[] {
    const first = this.running.filter(
      (one, index) => this.running.findIndex(({ command }) => laneOf(command) === laneOf(one.command)) === index,
    );
    const message = first[which % Math.max(1, first.length)];
    if (!message) return [];
    this.running = this.running.filter((one) => one !== message);
    const before = this.node.instance;
    const answer = this.perform(message, ending);
    this.journal.set(answer.id, answer);
    const state = this.node.instance;
    const news: ToServer[] = state === before ? [] : [{ type: 'instance', state }];
    return [...news, { type: 'answer', answer }];
  }

  private perform({ id, command, isDeletion }: CommandMessage, ending: Ending): Answered {
    try {
      if (ending.is === 'fails') throw ending.error;
      const seen = this.node.perform(command, { isDeletion });
      if (ending.is === 'fails_after') throw ending.error;
      return { id, seen };
    } catch (thrown) {
      if (!(thrown instanceof Error) || thrown.name !== 'NexusError') throw thrown;
      return { id, error: toNexusError(thrown).toBody() };
    }
  }

  /** `hasEffect`: what was under way had its effect before the kill, and no answer. */
  kill({ hasEffect }: { hasEffect: boolean }): void {
    const [first] = this.running;
    if (hasEffect && first) this.perform(first, { is: 'done' });
    this.running = [];
  }
}
