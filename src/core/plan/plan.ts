/**
 * The heart of Nexus: from what a workspace should be and what it is, what to do next. Pure, so that a kill at any
 * moment is harmless: whoever comes back asks again. Every step is idempotent at its node.
 */
import type { AgentCommand } from '../../contract/control-protocol.ts';
import type { WorkspaceStatus } from '../../contract/workspace.ts';
import { backoffMs } from '../backoff.ts';
import { mostAttempts, retryBackoff } from './attempts.ts';
import { commandStep } from './commands.ts';
import { planDeleted } from './plan-deleted.ts';
import { planPlacement, planRunning } from './plan-running.ts';
import { planStopped } from './plan-stopped.ts';
import type { Plan, Seen, Want } from './plan-types.ts';
import { withoutInstance } from './without-instance.ts';

export function plan(want: Want, seen: Seen, nowMs: number): Plan {
  if (want.node === null) return planUnplaced(want, seen, nowMs);
  if (!seen.reachable) return planUnreachable(want, want.node);
  const observation = seen.observation ?? (isUntouched(want) ? withoutInstance(want.id, '') : null);
  if (!observation) return planObservation(want, seen, nowMs);
  switch (want.state) {
    case 'running':
      return planRunning(want, observation, nowMs);
    case 'stopped':
      return planStopped(want, observation, nowMs);
    case 'deleted':
      return planDeleted(want, observation, nowMs);
  }
}

function planUnplaced(want: Want, seen: Seen, nowMs: number): Plan {
  switch (want.state) {
    case 'running':
      return planPlacement(want, seen, nowMs);
    case 'stopped':
      return planStopped(want, null, nowMs);
    case 'deleted':
      return { kind: 'gone' };
  }
}

export function unreachableWarning(node: string): string {
  return `node ${node} does not answer`;
}

function planUnreachable(want: Want, node: string): Plan {
  const reason = unreachableWarning(node);
  return { kind: 'wait', status: want.status, reason, step: null, untilMs: null, warnings: [reason] };
}

/** A workspace in one of these is at rest: an engine that does not answer for a while changes nothing about it. */
const restful: ReadonlySet<WorkspaceStatus> = new Set(['running', 'stopped', 'error']);

function planObservation(want: Want, { blind }: Seen, nowMs: number): Plan {
  const command: AgentCommand = { do: 'observe', workspace_id: want.id };
  const warnings = blind ? [blind.error.message] : [];
  const untilMs = blind ? blind.atMs + backoffMs(blind.attempts, retryBackoff) : nowMs;
  if (blind && blind.attempts >= mostAttempts && !restful.has(want.status))
    return { kind: 'failed', error: blind.error, warnings };
  if (blind && nowMs < untilMs) {
    return { kind: 'wait', status: want.status, reason: blind.error.message, step: null, untilMs, warnings };
  }
  return { kind: 'do', status: want.status, steps: [commandStep(command)], warnings };
}

/** Nothing was ever sent to its node, so there is nothing to ask for: a round trip less in a creation. */
function isUntouched(want: Want): boolean {
  return want.status === 'pending' && want.done.length === 0;
}
