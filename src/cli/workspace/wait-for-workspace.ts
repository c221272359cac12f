/** Waits for a workspace with live progress; what a person sees between asking and having. */
import type { Client } from '../../contract/api-client.ts';
import { fromBody } from '../../contract/errors.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { CliError, interrupted } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { describeFailure } from '../report-error.ts';
import { createStepDisplay } from '../terminal/step-display.ts';
import { createStepList } from './steps.ts';
import type { StepList } from './steps.ts';
import { isSettled, watchWorkspace } from './watch-workspace.ts';

export type Progress = {
  readonly steps: StepList;
  update(): void;
  [Symbol.dispose](): void;
};

/** The steps, shown on stderr until disposed. */
export function showProgress(context: Pick<CliContext, 'stderr'>): Progress {
  const now = Date.now;
  const steps = createStepList(now);
  const display = createStepDisplay({ steps: () => steps.steps(), output: context.stderr, now });
  return { steps, update: () => display.update(), [Symbol.dispose]: () => display.stop() };
}

/**
 * Until nothing is under way any more.
 * @throws CliError when it is interrupted (the work goes on), or with the workspace's own error
 */
export async function waitUntilSettled(
  context: CliContext,
  client: Client,
  options: {
    workspace: { readonly workspace_id: string; readonly name: string };
    progress: Progress;
    lastEventId?: number;
  },
): Promise<WorkspaceView> {
  const { workspace, progress, lastEventId } = options;
  let view: WorkspaceView;
  // A look is ahead of events that are still on their way, and would tell their steps twice. It tells of steps only
  // where no event came since the look before it.
  let hasHeard = lastEventId !== undefined;
  try {
    view = await watchWorkspace(client, workspace.workspace_id, {
      isDone: isSettled,
      signal: context.interrupt,
      onEvent: (event) => {
        hasHeard = true;
        progress.steps.applyEvent(event);
        progress.update();
      },
      onView: (seen) => {
        if (!hasHeard || isSettled(seen)) progress.steps.applyView(seen);
        else progress.steps.warn(seen);
        hasHeard = false;
        progress.update();
      },
      ...(lastEventId === undefined ? {} : { lastEventId }),
    });
  } catch (error) {
    if (context.interrupt.aborted) {
      throw interrupted(`The server goes on with ${workspace.name}.`, {
        next: `nexus workspace status ${workspace.name} --watch`,
      });
    }
    throw error;
  }
  if (view.status === 'error' && view.error !== null) throw errorOf(view);
  return view;
}

/** The error that a workspace stopped with; its hint names the workspace. */
export function errorOf(view: WorkspaceView): CliError {
  const cause = fromBody(view.error ?? { error: 'internal' });
  const { why, next, exitCode } = describeFailure(cause, '');
  return new CliError(why, {
    exitCode,
    next: (next ?? `nexus workspace show ${view.name}`).replace('NAME', view.name),
    cause,
  });
}
