/**
 * Commands under way to agents. Each is sent when its node is connected, and again, under the same id, when the
 * connection was lost meanwhile: the agent answers an id once.
 */
import type { AgentCommand, CommandAnswer, Observation, ServerToPeer } from '../../contract/control-protocol.ts';
import { fromBody, NexusError } from '../../contract/errors.ts';

export type CommandOptions = {
  /** Counted while the node is connected; what is under way while it is away is not known. */
  readonly timeoutMs: number;
  /** `for_ever`: it is in the journal, and somebody waits for the node to be back. */
  readonly patience: 'for_ever' | 'while_reachable';
  readonly onProgress?: (line: string) => void;
};

export type CommandLine = {
  /** @throws timeout, node_unreachable (`while_reachable` only), or the agent's error */
  run(node: string, command: { id: string; command: AgentCommand }, options: CommandOptions): Promise<Observation>;
  connected(node: string): void;
  disconnected(node: string): void;
  unreachable(node: string): void;
  /** The ids of those that a node has still to answer. */
  awaited(node: string): string[];
  answered(node: string, answer: CommandAnswer): void;
  progressed(node: string, progress: { id: string; line: string }): void;
};

type Pending = CommandOptions & {
  readonly id: string;
  readonly node: string;
  readonly command: AgentCommand;
  readonly resolve: (seen: Observation) => void;
  readonly reject: (error: NexusError) => void;
  timer: NodeJS.Timeout | undefined;
};

function outcomeOf({ command, node }: Pending, answer: CommandAnswer): Observation | NexusError {
  if (!answer.ok) return fromBody(answer.error);
  if (answer.seen.workspace_id === command.workspace_id) return answer.seen;
  return new NexusError('stream_failed', { reason: `the node ${node} answered for another workspace` });
}

/** `send` returns whether the node is connected. */
export function createCommandLine(send: (node: string, message: ServerToPeer) => boolean): CommandLine {
  const pending = new Map<string, Pending>();

  function dispatch(entry: Pending): void {
    const { id, command, timeoutMs } = entry;
    if (!send(entry.node, { type: 'command', id, command })) return;
    entry.timer = setTimeout(
      () => settle(entry, new NexusError('timeout', { what: command.do, seconds: timeoutMs / 1000 })),
      timeoutMs,
    );
  }
  function settle(entry: Pending, outcome: Observation | NexusError): void {
    clearTimeout(entry.timer);
    pending.delete(entry.id);
    if (outcome instanceof NexusError) entry.reject(outcome);
    else entry.resolve(outcome);
  }
  function ofNode(node: string): Pending[] {
    return [...pending.values()].filter((entry) => entry.node === node);
  }
  function find(node: string, id: string): Pending | undefined {
    const entry = pending.get(id);
    return entry?.node === node ? entry : undefined;
  }

  return {
    run(node, { id, command }, options) {
      return new Promise((resolve, reject) => {
        const entry: Pending = { ...options, id, node, command, resolve, reject, timer: undefined };
        pending.set(id, entry);
        dispatch(entry);
      });
    },
    connected(node) {
      for (const entry of ofNode(node)) {
        clearTimeout(entry.timer);
        dispatch(entry);
      }
    },
    disconnected(node) {
      for (const entry of ofNode(node)) clearTimeout(entry.timer);
    },
    unreachable(node) {
      for (const entry of ofNode(node)) {
        if (entry.patience === 'while_reachable') settle(entry, new NexusError('node_unreachable', { node }));
      }
    },
    awaited: (node) => ofNode(node).map(({ id }) => id),
    answered(node, answer) {
      const entry = find(node, answer.id);
      if (entry) settle(entry, outcomeOf(entry, answer));
    },
    progressed(node, { id, line }) {
      find(node, id)?.onProgress?.(line);
    },
  };
}
