import type { AgentCommand, Observation } from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';
import type { Logger } from '../../lib/log.ts';
import type { Instance, Provider, ProviderName } from '../providers/provider.ts';
import type { Monitors } from '../services/monitors.ts';
import type { GitDesk } from '../git/git-desk.ts';
import type { WorkspaceRecords } from '../workspace-records.ts';

export type CommandContext = {
  readonly providers: ReadonlyMap<ProviderName, Provider>;
  /** `machineId()` of the node. */
  readonly machine: string;
  readonly records: WorkspaceRecords;
  readonly monitors: Monitors;
  readonly gitDesk: GitDesk;
  readonly log: Logger;
  /** Instances that this agent made and nobody started yet: there is nothing in them to ask for. */
  readonly neverStarted: Set<string>;
  /** How long sshd may take to come up; 60 s when absent. */
  readonly sshdTimeoutMs?: number;
};

export type Command<Do extends AgentCommand['do']> = Extract<AgentCommand, { do: Do }>;

export type Execution = {
  readonly progress: (line: string) => void;
  /** Aborted with the error to answer when the workspace is to be stopped or removed: for waits that nothing else ends. */
  readonly signal: AbortSignal;
};

/** Carries out one command, again when it was done before, and answers with what is then. */
export type Executor<Do extends AgentCommand['do']> = (
  command: Command<Do>,
  context: CommandContext,
  execution: Execution,
) => Promise<Observation>;

export type FoundInstance = { readonly provider: Provider; readonly instance: Instance };

/** @throws provider_unavailable when the node has no such engine */
export function providerNamed(context: CommandContext, name: ProviderName): Provider {
  const provider = context.providers.get(name);
  if (!provider) throw new NexusError('provider_unavailable', { provider: name, reason: 'the node does not have it' });
  return provider;
}

/** The instance of a workspace, whichever engine has it. @throws provider_unavailable */
export async function findInstance(context: CommandContext, id: string): Promise<FoundInstance | null> {
  for (const provider of context.providers.values()) {
    const instance = await provider.inspect(id);
    if (instance) return { provider, instance };
  }
  return null;
}

/** @throws not_found, provider_unavailable */
export async function existingInstance(context: CommandContext, id: string): Promise<FoundInstance> {
  const found = await findInstance(context, id);
  if (!found) throw new NexusError('not_found', { kind: 'instance', name: id });
  return found;
}

/** @throws not_found, workspace_not_running, provider_unavailable */
export async function runningInstance(context: CommandContext, id: string): Promise<FoundInstance> {
  const found = await existingInstance(context, id);
  if (found.instance.state === 'running') return found;
  throw new NexusError('workspace_not_running', { name: id, status: found.instance.state });
}
