import type { AgentCommand } from '../../contract/control-protocol.ts';
import type { WorkspaceStatus } from '../../contract/workspace.ts';
import { mayTry } from './attempts.ts';
import { commandStep, stepName } from './commands.ts';
import type { Plan, Want } from './plan-types.ts';

/** What every part of a plan needs to know; `status` is what the workspace is called while it is carried out. */
export type Situation = {
  readonly want: Want;
  readonly status: WorkspaceStatus;
  readonly nowMs: number;
  readonly warnings: readonly string[];
};

/** Does the command, or waits until it may be tried again, or gives up with the error of its last try. */
export function tryCommand(at: Situation, command: AgentCommand): Plan {
  const { want, status, nowMs, warnings } = at;
  const permission = mayTry(want.done, command, nowMs);
  switch (permission.may) {
    case 'go':
      return { kind: 'do', status, steps: [commandStep(command)], warnings };
    case 'later':
      return waitFor(
        { ...at, warnings: [...warnings, permission.because] },
        { reason: permission.because, step: stepName(command), untilMs: permission.untilMs },
      );
    case 'never':
      return { kind: 'failed', error: permission.error, warnings };
  }
}

export function waitFor(
  at: Situation,
  wait: { readonly reason: string; readonly step: string | null; readonly untilMs: number | null },
): Plan {
  return { kind: 'wait', status: at.status, ...wait, warnings: at.warnings };
}
