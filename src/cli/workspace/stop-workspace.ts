import type { Client, ResponseOf } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { interrupted } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { persist } from './follow-events.ts';
import { showProgress } from './wait-for-workspace.ts';

type Stopped = ResponseOf<'stopWorkspace'>;

/** Stops it and waits until it is. @throws NexusError workspace_already_stopped */
export async function stopWorkspace(
  context: CliContext,
  client: Client,
  options: { workspace: WorkspaceView; force: boolean },
): Promise<Stopped> {
  const { workspace, force } = options;
  const params = { id: workspace.workspace_id };
  return withStep(context, { workspace, title: `Stop ${workspace.name}` }, (signal) =>
    persistWish(() => client.call('stopWorkspace', { params, query: { force }, signal }), {
      signal,
      code: 'workspace_already_stopped',
      done: () => stoppedAnswer(client, params),
    }),
  );
}

/** Deletes it, running or not, and waits until nothing is left of it. */
export async function deleteWorkspace(context: CliContext, client: Client, workspace: WorkspaceView): Promise<void> {
  const params = { id: workspace.workspace_id };
  await withStep(context, { workspace, title: `Delete ${workspace.name}` }, (signal) =>
    persistWish(() => client.call('deleteWorkspace', { params, query: { force: true }, signal }), {
      signal,
      code: 'not_found',
      done: () => Promise.resolve(),
    }),
  );
}

/**
 * Says the wish again when its answer was lost with the server. The wish was heard if saying it again gives `code`,
 * which it would not have given at first.
 */
async function persistWish<T>(
  wish: () => Promise<T>,
  options: { signal: AbortSignal; code: ErrorCode; done: () => Promise<T> },
): Promise<T> {
  let wasLost = false;
  try {
    return await persist(wish, { signal: options.signal, onAway: () => (wasLost = true) });
  } catch (error) {
    if (wasLost && error instanceof NexusError && error.code === options.code) return options.done();
    throw error;
  }
}

async function stoppedAnswer(client: Client, params: { id: string }): Promise<Stopped> {
  const view = await client.call('getWorkspace', { params });
  return { workspace_id: view.workspace_id, status: view.status, stopped_at: view.updated_at };
}

async function withStep<T>(
  context: CliContext,
  { workspace, title }: { workspace: WorkspaceView; title: string },
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  using progress = showProgress(context);
  progress.steps.begin('wish', title);
  progress.update();
  try {
    const result = await work(context.interrupt);
    progress.steps.end('wish', 'done');
    return result;
  } catch (error) {
    progress.steps.end('wish', 'failed');
    if (context.interrupt.aborted) {
      throw interrupted(`The server goes on with ${workspace.name}.`, {
        next: `nexus workspace status ${workspace.name} --watch`,
      });
    }
    throw error;
  }
}
