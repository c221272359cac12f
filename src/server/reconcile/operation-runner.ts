/**
 * Does the commands of one workspace's journal: the row is there before the command is sent, and is ended in the
 * transaction that writes what came of it. An operation that an earlier server left open is sent again under its id.
 */
import type { AgentCommand, Observation } from '../../contract/control-protocol.ts';
import { fromBody, toNexusError, type NexusError } from '../../contract/errors.ts';
import { insertOperation } from '../store/operations.ts';
import type { OperationRow } from '../store/schema.ts';
import type { Tx } from '../store/store.ts';
import { appendProgress } from '../store/events.ts';
import { commandTimeoutMs } from './command-timeouts.ts';
import type { LoopDeps } from './loop-deps.ts';
import { nameInHint } from './name-in-hint.ts';
import { createProgressLog } from './progress-log.ts';
import { commandOf } from './read-want.ts';
import { takeAnswer } from './take-answer.ts';

export type Outcome =
  /** `isCurrent`: it came by the connection that the command was sent by first, and so tells what is. */
  | { readonly command: AgentCommand; readonly seen: Observation; readonly isCurrent: boolean }
  | { readonly command: AgentCommand; readonly error: NexusError };

export type OperationRunner = {
  /** Writes the rows; `run` them after the commit. */
  enter(tx: Tx, node: string, commands: readonly AgentCommand[], generation: number): Promise<OperationRow[]>;
  /** Sends it unless it is under way. Settles when its outcome was written; never rejects. */
  run(operation: OperationRow): Promise<Outcome>;
  /** The connection is new: what is under way may be answered from a journal, with what was seen before. */
  doubt(): void;
};

export function createOperationRunner(
  workspaceId: string,
  deps: LoopDeps,
  options: {
    /** A workspace's name, for the hints of errors. */
    readonly name: () => string;
    readonly onOutcome: (outcome: Outcome) => void;
  },
): OperationRunner {
  const { store, hub, log } = deps;
  const underWay = new Map<string, Promise<Outcome>>();
  /** Of this process of the server and of the present connection. */
  const current = new Set<string>();
  const progress = createProgressLog((lines) => store.transaction((tx) => appendProgress(tx, workspaceId, lines)));

  async function perform({ id, node }: OperationRow, command: AgentCommand): Promise<Outcome> {
    try {
      await bringWhatItNeeds(command, node, deps);
      const timeoutMs = commandTimeoutMs[command.do];
      const seen = await hub.run(node, { id, command }, { timeoutMs, onProgress: (line) => progress.add(line) });
      return { command, seen, isCurrent: current.has(id) };
    } catch (thrown) {
      const cause = toNexusError(thrown);
      log.warn({ err: cause, workspace: workspaceId, operation: id, do: command.do }, 'a step failed');
      return { command, error: fromBody(nameInHint(cause.toBody(), options.name())) };
    } finally {
      await progress.flush().catch((error: unknown) => log.error({ err: error }, 'progress could not be written down'));
    }
  }

  async function settle(operation: OperationRow): Promise<Outcome> {
    const command = commandOf(operation);
    const outcome = await perform(operation, command);
    const answer = 'error' in outcome ? { error: outcome.error.toBody() } : { seen: outcome.seen };
    const settings = { ports: deps.config.ports, occupied: new Set(deps.occupiedPorts().keys()) };
    try {
      const isRouteNew = await store.transaction((tx) => takeAnswer(tx, operation, command, answer, settings));
      hub.forget(operation.node, [operation.id]);
      if (isRouteNew) deps.routesChanged();
    } catch (error) {
      // It stays open, and is asked for again: the agent keeps its answer until it is told to forget it.
      log.error({ err: error, operation: operation.id }, 'the outcome of a step could not be written down');
    }
    underWay.delete(operation.id);
    current.delete(operation.id);
    options.onOutcome(outcome);
    return outcome;
  }

  return {
    async enter(tx, node, commands, generation) {
      const rows: OperationRow[] = [];
      for (const command of commands) rows.push(await insertOperation(tx, { workspaceId, node, command, generation }));
      for (const { id } of rows) current.add(id);
      return rows;
    },
    run(operation) {
      const known = underWay.get(operation.id);
      if (known) return known;
      const outcome = settle(operation);
      underWay.set(operation.id, outcome);
      return outcome;
    },
    doubt: () => current.clear(),
  };
}

/** To the node, before the command. */
async function bringWhatItNeeds(
  command: AgentCommand,
  node: string,
  { lendGit, sendUpload }: Pick<LoopDeps, 'lendGit' | 'sendUpload'>,
): Promise<void> {
  if (command.do === 'configure') await lendGit(node);
  if (command.do === 'clone' && command.upload) await sendUpload(node, command.workspace_id);
}
