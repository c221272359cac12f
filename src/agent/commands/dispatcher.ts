/**
 * Takes the server's commands and answers each id once: from the journal when it was done, joined while it runs, done
 * otherwise. An answer that cannot be sent now waits in the journal until the server asks again.
 */
import type { AgentCommand, Observation, PeerToServer } from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Journal } from '../journal.ts';
import { answerCommand } from './answer-command.ts';
import type { Execution } from './command-context.ts';
import { createLanes, laneOf } from './lanes.ts';

export type Dispatcher = {
  take(id: string, command: AgentCommand): void;
  forget(ids: readonly string[]): void;
  /** The server waits for the answers to these, and for no others that it sent before. */
  keepOnly(ids: readonly string[]): void;
};

/** `isAwaited` false: an earlier server asked for it, and the present one does not know of it. */
type Running = { readonly workspaceId: string; readonly ending: AbortController; isAwaited: boolean };

export function createDispatcher(options: {
  readonly execute: (command: AgentCommand, execution: Execution) => Promise<Observation>;
  readonly send: (message: PeerToServer) => boolean;
  readonly journal: Journal;
  readonly log: Logger;
}): Dispatcher {
  const { execute, send, journal, log } = options;
  const inLane = createLanes();
  const running = new Map<string, Running>();

  function inTurn(command: AgentCommand, execution: Execution): Promise<Observation> {
    return inLane(laneOf(command), () => execute(command, execution));
  }

  async function run(id: string, command: AgentCommand): Promise<void> {
    const ending = new AbortController();
    const self: Running = { workspaceId: command.workspace_id, ending, isAwaited: true };
    running.set(id, self);
    const result = await answerCommand(id, command, { execute: inTurn, send, signal: ending.signal, log });
    try {
      if (self.isAwaited) journal.keep({ workspaceId: command.workspace_id, answer: result });
      if (command.do === 'remove_instance' && result.ok) journal.forgetWorkspace(command.workspace_id, id);
    } catch (error) {
      log.error(
        { err: error, id },
        'the journal cannot be written: the command is done again when it is asked for again',
      );
    }
    running.delete(id);
    send(result);
  }

  /** What waits for something that a stop does not end, the build of a base say, waits no longer. */
  function endWaits(workspaceId: string): void {
    const reason = new NexusError('workspace_not_running', { name: workspaceId, status: 'stopping' });
    for (const one of running.values()) if (one.workspaceId === workspaceId) one.ending.abort(reason);
  }

  return {
    take(id, command) {
      const known = journal.answerTo(id);
      if (known) return void send(known);
      const underWay = running.get(id);
      if (underWay) {
        underWay.isAwaited = true;
        return;
      }
      if (command.do === 'stop_instance' || command.do === 'remove_instance') endWaits(command.workspace_id);
      void run(id, command);
    },
    forget: (ids) => journal.forget(ids),
    keepOnly(ids) {
      journal.keepOnly(ids);
      for (const [id, one] of running) one.isAwaited = ids.includes(id);
    },
  };
}
