import type { Observation } from '../../contract/control-protocol.ts';
import type { HookName } from '../../contract/service-spec.ts';
import { stepKey, triesOf } from './attempts.ts';
import * as commands from './commands.ts';
import { nextToStop } from './services.ts';
import { tryCommand, type Situation } from './try-command.ts';
import type { Plan, Want } from './plan-types.ts';

/** After so many clean shutdowns that failed, the instance is stopped hard. */
const gentleAttempts = 2;

export function planStopped(want: Want, observation: Observation | null, nowMs: number): Plan {
  const warnings = hookWarnings(want);
  if (observation?.instance !== 'running') return { kind: 'settled', status: 'stopped', untilMs: null, warnings };
  const at: Situation = { want, status: 'stopping', nowMs, warnings };
  return (want.force ? null : planGently(at, observation)) ?? planStopInstance(at);
}

function planGently(at: Situation, observation: Observation): Plan | null {
  const { want } = at;
  const hook = observation.clone && nextHook(want);
  if (hook) return tryCommand(at, hook);
  const stops = nextToStop(want, observation);
  if (stops.length === 0) return null;
  return { kind: 'do', status: 'stopping', steps: stops.map(commands.commandStep), warnings: at.warnings };
}

function planStopInstance(at: Situation): Plan {
  const { want } = at;
  const gentle = { do: 'stop_instance', workspace_id: want.id, force: want.force } as const;
  const failures = triesOf(want.done, gentle).filter((entry) => entry.error).length;
  return tryCommand(at, { ...gentle, force: want.force || failures >= gentleAttempts });
}

function stopHooks(want: Want): { name: HookName; command: string | null }[] {
  const files = want.config?.hook_files ?? [];
  const preStop = want.config?.lifecycle.pre_stop;
  return [
    ...(preStop === undefined ? [] : [{ name: 'pre_stop', command: preStop } as const]),
    ...(files.includes('stop') ? [{ name: 'stop', command: null } as const] : []),
    ...(files.includes('down') ? [{ name: 'down', command: null } as const] : []),
  ];
}

/** Each stop hook has one try in each stop, whatever comes of it. */
function nextHook(want: Want): ReturnType<typeof commands.runHook> | undefined {
  return stopHooks(want)
    .map((hook) => commands.runHook(want, hook.name, hook.command))
    .find((command) => triesOf(want.done, command).length === 0);
}

function hookWarnings(want: Want): string[] {
  const keys = new Set(stopHooks(want).map((hook) => stepKey(commands.runHook(want, hook.name, hook.command))));
  return want.done.flatMap(({ command, error }) => (error && keys.has(stepKey(command)) ? [error.message] : []));
}
