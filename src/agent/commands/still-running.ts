import { NexusError } from '../../contract/errors.ts';
import type { JobOutcome } from '../guest/run-job.ts';
import type { GuestFacts } from '../marks.ts';
import { runningInstance, type CommandContext } from './command-context.ts';

/** What ended because its workspace was stopped or removed did not fail by itself. @throws workspace_not_running, not_found */
export async function stillRunning(context: CommandContext, id: string): Promise<void> {
  await runningInstance(context, id);
}

/** The same for a job. */
export async function ownFailure(
  context: CommandContext,
  id: string,
  outcome: Exclude<JobOutcome, { readonly done: true; readonly facts: GuestFacts }>,
): Promise<Extract<JobOutcome, { readonly done: false }>> {
  if (outcome === 'stopping') throw new NexusError('workspace_not_running', { name: id, status: 'stopping' });
  await stillRunning(context, id);
  return outcome;
}
