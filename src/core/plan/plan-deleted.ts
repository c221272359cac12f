import type { Observation } from '../../contract/control-protocol.ts';
import { tryCommand, type Situation } from './try-command.ts';
import type { Plan, Want } from './plan-types.ts';

/** Removed once in any case: an instance that is absent may have left a volume or a port behind. */
export function planDeleted(want: Want, observation: Observation, nowMs: number): Plan {
  const at: Situation = { want, status: 'deleting', nowMs, warnings: [] };
  const isRemoved = want.done.some(({ command, error }) => command.do === 'remove_instance' && !error);
  if (isRemoved && observation.instance === 'absent') return { kind: 'gone' };
  return tryCommand(at, { do: 'remove_instance', workspace_id: want.id });
}
