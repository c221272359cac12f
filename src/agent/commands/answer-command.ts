import type { AgentCommand, CommandAnswer, Observation, PeerToServer } from '../../contract/control-protocol.ts';
import { toNexusError } from '../../contract/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Execution } from './command-context.ts';
import { createThrottle } from './throttle.ts';

const progressEveryMs = 250;

/** Carries out a command and makes the answer to it; its progress is sent meanwhile. */
export async function answerCommand(
  id: string,
  command: AgentCommand,
  {
    execute,
    send,
    signal,
    log,
  }: {
    readonly execute: (command: AgentCommand, execution: Execution) => Promise<Observation>;
    readonly send: (message: PeerToServer) => boolean;
    readonly signal: AbortSignal;
    readonly log: Logger;
  },
): Promise<CommandAnswer> {
  const throttle = createThrottle(progressEveryMs, (line: string) => send({ type: 'progress', id, line }));
  const startedAt = performance.now();
  const about = { command: command.do, workspace: command.workspace_id, id };
  try {
    const seen = await execute(command, { progress: throttle.push, signal });
    log.info({ ...about, ms: Math.round(performance.now() - startedAt) }, 'done');
    return { type: 'answer', id, ok: true, seen };
  } catch (thrown) {
    const error = toNexusError(thrown);
    log.warn({ ...about, ms: Math.round(performance.now() - startedAt), err: error }, 'failed');
    return { type: 'answer', id, ok: false, error: error.toBody() };
  } finally {
    throttle.end();
  }
}
