/** The commands that a workspace's wants make. */
import type { AgentCommand } from '../../contract/control-protocol.ts';
import type { HookName, ServiceSpec } from '../../contract/service-spec.ts';
import { workspaceEnv } from '../service-env.ts';
import { effectiveHealthCheck } from './health.ts';
import type { Step, Want } from './plan-types.ts';

type Of<Do extends AgentCommand['do']> = Extract<AgentCommand, { do: Do }>;

/** How api.md calls what is under way. */
export function stepName(command: AgentCommand): string {
  switch (command.do) {
    case 'observe':
      return 'observing';
    case 'ensure_base':
      return 'preparing_base';
    case 'create_instance':
      return 'creating_container';
    case 'start_instance':
      return 'starting_container';
    case 'configure':
      return 'configuring_ssh';
    case 'clone':
      return 'cloning';
    case 'read_config':
      return 'reading_config';
    case 'run_hook':
      return command.hook === 'pre_start' ? 'installing' : 'running_hook';
    case 'start_service':
      return `starting_service:${command.service.name}`;
    case 'stop_service':
      return `stopping_service:${command.service}`;
    case 'stop_instance':
      return 'stopping_container';
    case 'remove_instance':
      return 'removing_container';
  }
}

export function commandStep(command: AgentCommand): Step {
  return { do: 'command', command, step: stepName(command) };
}

export function ensureBase(want: Want): Of<'ensure_base'> {
  const { provider, image } = want;
  return { do: 'ensure_base', workspace_id: want.id, provider, image, packages: [...want.packages] };
}

export function createInstance(want: Want): Of<'create_instance'> {
  return { ...ensureBase(want), do: 'create_instance', hostname: want.name, limits: { ...want.limits } };
}

export function configure(want: Want): Of<'configure'> {
  return {
    do: 'configure',
    workspace_id: want.id,
    name: want.name,
    ssh_keys: [...want.sshKeys],
    env: environment(want),
    git: want.git && { name: want.git.name, email: want.git.email },
    git_host: want.git?.host ?? null,
  };
}

export function clone(want: Want): Of<'clone'> {
  const { url, ref, upstreamUrl } = want.repo;
  return { do: 'clone', workspace_id: want.id, url, ref, upload: want.upload !== null, upstream_url: upstreamUrl };
}

/** `command` null: the hook's file. */
export function runHook(want: Want, hook: HookName, command: string | null): Of<'run_hook'> {
  return { do: 'run_hook', workspace_id: want.id, hook, command };
}

export function startService(want: Want, spec: ServiceSpec): Of<'start_service'> {
  const check = effectiveHealthCheck(spec);
  const service = check ? { ...spec, health_check: check } : spec;
  return { do: 'start_service', workspace_id: want.id, service, env: environment(want) };
}

export function stopService(want: Want, service: string): Of<'stop_service'> {
  return { do: 'stop_service', workspace_id: want.id, service, force: false };
}

function environment(want: Want): Record<string, string> {
  const specs = want.services.map((service) => service.spec);
  return workspaceEnv({ id: want.id, name: want.name }, specs);
}
