import type { AgentCommand, Observation } from '../../contract/control-protocol.ts';
import { NexusError, toNexusError } from '../../contract/errors.ts';
import type { HookName } from '../../contract/service-spec.ts';
import type { WorkspaceStatus } from '../../contract/workspace.ts';
import { placeWorkspace } from '../placement.ts';
import { baseKey } from './attempts.ts';
import * as commands from './commands.ts';
import { planServices } from './services.ts';
import { tryCommand, waitFor, type Situation } from './try-command.ts';
import type { Plan, Seen, Want } from './plan-types.ts';

/** How long the upload of a repository may take to arrive, and a node to be there for a new workspace. */
const uploadWithinMs = 15 * 60_000;
const placeWithinMs = 60_000;

export function planPlacement(want: Want, seen: Seen, nowMs: number): Plan {
  try {
    const node = placeWorkspace(seen.fleet, want.provider);
    return { kind: 'do', status: want.status, steps: [{ do: 'place', node }], warnings: [] };
  } catch (thrown) {
    const error = toNexusError(thrown);
    const untilMs = want.wantedAt + placeWithinMs;
    if (error.code === 'disk_full' || nowMs >= untilMs) return { kind: 'failed', error: error.toBody(), warnings: [] };
    return { kind: 'wait', status: want.status, reason: error.message, step: null, untilMs, warnings: [error.message] };
  }
}

export function planRunning(want: Want, observation: Observation, nowMs: number): Plan {
  const warnings = baseWarnings(want, observation);
  const status: WorkspaceStatus = want.status === 'running' && isPrepared(want, observation) ? 'running' : 'creating';
  const at: Situation = { want, status, nowMs, warnings };
  return (
    planInstance(at, observation) ??
    planRepository(at, observation) ??
    planHook(at, observation, startHooks(want)) ??
    planServing(at, observation)
  );
}

function planInstance(at: Situation, observation: Observation): Plan | null {
  const { want } = at;
  if (observation.instance === 'absent' && wasInUse(want)) {
    const error = new NexusError('instance_lost', { name: want.name, node: want.node ?? '' });
    return { kind: 'failed', error: error.toBody(), warnings: at.warnings };
  }
  const isOfWantedBase = observation.base === null || baseKey(observation.base) === baseKey(want);
  // Once the configuration is taken over, the instance is the user's, and its base is kept as it is.
  const isToBeReplaced = observation.instance !== 'absent' && want.config === null && !isOfWantedBase;
  if (observation.instance === 'absent' || isToBeReplaced) {
    if (!isBaseReady(want)) return tryCommand(at, commands.ensureBase(want));
    if (isToBeReplaced) return tryCommand(at, { do: 'remove_instance', workspace_id: want.id });
    return tryCommand(at, commands.createInstance(want));
  }
  if (observation.instance === 'stopped') return tryCommand(at, { do: 'start_instance', workspace_id: want.id });
  return isConfigured(want, observation) ? null : tryCommand(at, commands.configure(want));
}

function planRepository(at: Situation, observation: Observation): Plan | null {
  const { want, nowMs } = at;
  if (!observation.clone) {
    if (!want.upload || want.upload.arrived) return tryCommand(at, commands.clone(want));
    const untilMs = want.wantedAt + uploadWithinMs;
    if (nowMs < untilMs) return waitFor(at, { reason: 'the repository is being uploaded', step: 'uploading', untilMs });
    const reason = `it was not uploaded within ${uploadWithinMs / 60_000} minutes`;
    return {
      kind: 'failed',
      error: new NexusError('clone_failed', { url: want.repo.url, reason }).toBody(),
      warnings: at.warnings,
    };
  }
  return isConfigCurrent(want) ? null : tryCommand(at, { do: 'read_config', workspace_id: want.id });
}

type Hook = { readonly name: HookName; readonly command: string | null };

function planHook(at: Situation, observation: Observation, hooks: readonly Hook[]): Plan | null {
  const next = hooks.find((hook) => !observation.hooks_done.includes(hook.name));
  return next ? tryCommand(at, commands.runHook(at.want, next.name, next.command)) : null;
}

function planServing(at: Situation, observation: Observation): Plan {
  const { want, status, nowMs } = at;
  const services = planServices(want, observation, nowMs);
  const warnings = [...at.warnings, ...services.warnings];
  if (services.commands.length > 0) {
    return { kind: 'do', status, steps: services.commands.map(commands.commandStep), warnings };
  }
  const { awaited, untilMs } = services;
  if (status !== 'running' && awaited.length > 0) {
    const reason = `waiting for ${awaited.join(', ')} to be healthy`;
    return waitFor({ ...at, warnings }, { reason, step: `starting_service:${awaited[0]}`, untilMs });
  }
  return (
    planHook({ ...at, warnings }, observation, postStart(want)) ?? {
      kind: 'settled',
      status: 'running',
      untilMs,
      warnings,
    }
  );
}

function startHooks(want: Want): Hook[] {
  const files = want.config?.hook_files ?? [];
  const preStart = want.config?.lifecycle.pre_start;
  return [
    ...(files.includes('create') ? [{ name: 'create', command: null } as const] : []),
    ...(preStart === undefined ? [] : [{ name: 'pre_start', command: preStart } as const]),
    ...(files.includes('up') ? [{ name: 'up', command: null } as const] : []),
  ];
}

function postStart(want: Want): Hook[] {
  const command = want.config?.lifecycle.post_start;
  return command === undefined ? [] : [{ name: 'post_start', command }];
}

/** Nothing but upkeep is left to do: such a workspace goes on being called running. */
function isPrepared(want: Want, observation: Observation): boolean {
  return (
    observation.instance === 'running' &&
    observation.configured &&
    observation.clone !== null &&
    [...startHooks(want), ...postStart(want)].every((hook) => observation.hooks_done.includes(hook.name))
  );
}

/** These are for an instance that is not there; every other command was given to one that was. */
const makesAnew: ReadonlySet<AgentCommand['do']> = new Set(['ensure_base', 'create_instance', 'remove_instance']);

/**
 * Somebody's work was in it when it was last seen. To make it anew would hide that this is lost, so only a new wish
 * does: a start finds nothing done yet.
 */
function wasInUse(want: Want): boolean {
  return want.config !== null && want.done.some(({ command }) => !makesAnew.has(command.do));
}

/** sshd accepts the owner's keys in this boot, and the environment is the one that is wanted by now. */
function isConfigured(want: Want, observation: Observation): boolean {
  return observation.configured && JSON.stringify(want.configuredWith) === JSON.stringify(commands.configure(want));
}

function isBaseReady(want: Want): boolean {
  const last = want.done.findLast(({ command }) => command.do === 'ensure_base');
  return last?.command.do === 'ensure_base' && last.error === null && baseKey(last.command) === baseKey(want);
}

/** Every start reads the configuration anew: who edits it and restarts gets what it says. */
function isConfigCurrent(want: Want): boolean {
  return want.config !== null && want.done.some(({ command, error }) => command.do === 'read_config' && !error);
}

function baseWarnings(want: Want, observation: Observation): string[] {
  if (!want.config || !observation.base) return [];
  const { base } = observation;
  const missing = want.config.packages.filter((name) => !base.packages.includes(name));
  if (missing.length === 0) return [];
  return [`packages ${missing.join(', ')} came into the configuration later: a new workspace has them`];
}
