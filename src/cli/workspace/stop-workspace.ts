import type { Client, ResponseOf } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { interrupted } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { followEvents, persist } from './follow-events.ts';
import { stepTitle } from './step-title.ts';
import { watchWorkspace } from './watch-workspace.ts';
import { errorOf, showProgress } from './wait-for-workspace.ts';
import type { Progress } from './wait-for-workspace.ts';

/** The key of the row that is shown. */
const wishStep = 'wish';

type Stopped = ResponseOf<'stopWorkspace'>;

/** Stops it and waits until it is. @throws NexusError workspace_already_stopped */
export async function stopWorkspace(
  context: CliContext,
  client: Client,
  options: { workspace: WorkspaceView; force: boolean },
): Promise<Stopped> {
  const { workspace, force } = options;
  const params = { id: workspace.workspace_id };
  return withStep(context, client, {
    workspace,
    title: `Stop ${workspace.name}`,
    work: (signal) =>
      persistWish(() => client.call('stopWorkspace', { params, query: { force }, signal }), {
        signal,
        code: 'workspace_already_stopped',
        done: () => stoppedAnswer(client, params.id, signal),
      }),
  });
}

/** Deletes it, running or not, and waits until nothing is left of it. */
export async function deleteWorkspace(context: CliContext, client: Client, workspace: WorkspaceView): Promise<void> {
  const params = { id: workspace.workspace_id };
  await withStep(context, client, {
    workspace,
    title: `Delete ${workspace.name}`,
    work: (signal) =>
      persistWish(() => untilInTime(() => client.call('deleteWorkspace', { params, query: { force: true }, signal })), {
        signal,
        code: 'not_found',
        done: () => Promise.resolve(),
      }),
  });
}

/** The server answers after a while even when it is not done; the image that is being made takes longer. */
async function untilInTime<T>(wish: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await wish();
    } catch (error) {
      if (!(error instanceof NexusError) || error.code !== 'timeout') throw error;
    }
  }
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

/** It may only be on its way. @throws the workspace's own error */
async function stoppedAnswer(client: Client, id: string, signal: AbortSignal): Promise<Stopped> {
  const view = await watchWorkspace(client, id, { isDone: ({ status }) => status !== 'stopping', signal });
  if (view.status === 'error') throw errorOf(view);
  return { workspace_id: view.workspace_id, status: view.status, stopped_at: view.updated_at };
}

async function withStep<T>(
  context: CliContext,
  client: Client,
  options: { workspace: WorkspaceView; title: string; work: (signal: AbortSignal) => Promise<T> },
): Promise<T> {
  const { workspace, title, work } = options;
  using progress = showProgress(context);
  progress.steps.begin(wishStep, title);
  progress.update();
  const finished = new AbortController();
  const telling = tellWhatIsWaitedFor(client, {
    workspace,
    progress,
    signal: AbortSignal.any([context.interrupt, finished.signal]),
  });
  try {
    const result = await work(context.interrupt);
    progress.steps.end(wishStep, 'done');
    return result;
  } catch (error) {
    progress.steps.end(wishStep, 'failed');
    if (context.interrupt.aborted) {
      throw interrupted(`The server goes on with ${workspace.name}.`, {
        next: `nexus workspace status ${workspace.name} --watch`,
      });
    }
    throw error;
  } finally {
    finished.abort();
    await telling;
  }
}

/** What is under way ends first, which may take minutes: its last line, or the step, stands behind the wish. */
async function tellWhatIsWaitedFor(
  client: Client,
  options: { workspace: WorkspaceView; progress: Progress; signal: AbortSignal },
): Promise<void> {
  const { workspace, progress, signal } = options;
  let step = workspace.step;
  function tell(line?: string): void {
    // A line may be of the work that the step waits for, so it stands alone.
    const detail = line ?? (step === null ? null : stepTitle(step));
    if (detail === null) return;
    progress.steps.detail(wishStep, detail);
    progress.update();
  }
  tell();
  try {
    for await (const { type, data } of followEvents(client, workspace.workspace_id, { signal })) {
      if (data.step !== undefined) step = data.step;
      tell(data.line);
      if (type !== 'status') continue;
      progress.steps.warn(await client.call('getWorkspace', { params: { id: workspace.workspace_id }, signal }));
      progress.update();
    }
  } catch {
    // It only tells; the wish itself names what is wrong.
  }
}
