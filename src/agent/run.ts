/**
 * The agent of a node: dials out to the server, and does for its cluster what it is told. Workspaces and their services
 * neither notice its end nor its return.
 */
import { createHash } from 'node:crypto';
import { join, resolve } from 'node:path';
import { connectControl, type ControlClient } from '../contract/control-client.ts';
import type { NexusError } from '../contract/errors.ts';
import { removeUnfinished } from '../lib/atomic-file.ts';
import { withHostLock } from '../lib/host-lock.ts';
import { loadIdentity } from '../lib/identity.ts';
import type { Logger } from '../lib/log.ts';
import { machineId } from '../lib/machine-id.ts';
import { saveProcess } from './agent-files.ts';
import { openMembership } from './membership.ts';
import { createNodeAgent } from './node-agent.ts';
import { providers } from './providers/registry.ts';
import type { Provider } from './providers/provider.ts';

export type AgentOptions = {
  /** The server's base URL. */
  readonly serverUrl: string;
  /** Of the node. */
  readonly name: string;
  /** Keeps the identity, the journal and `agent.json`. One agent at a time: another waits for the end of the first. */
  readonly stateDir: string;
  /** Needed once. */
  readonly joinToken?: string | undefined;
  readonly version: string;
  /** Program and arguments that call `runRelay` with the port that is appended. */
  readonly relayCommand: readonly string[];
  /** Aborted: the agent ends, and leaves workspaces and services alone. */
  readonly signal?: AbortSignal | undefined;
  readonly log: Logger;
  /** For tests. */
  readonly createProviders?: (clusterId: string) => readonly Provider[];
};

/**
 * Runs until it is told to end.
 * @throws the NexusError by which the server keeps this agent out
 */
export async function runAgent(options: AgentOptions): Promise<void> {
  const { log, signal } = options;
  const folder = createHash('sha256').update(resolve(options.stateDir)).digest('hex').slice(0, 32);
  const onWait = (): void => log.info('another agent of this folder runs; waiting for its end');
  await withHostLock(`agent-${folder}`, () => runAlone(options), { onWait, signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}

async function runAlone(options: AgentOptions): Promise<void> {
  const { stateDir, name, log } = options;
  for (const folder of [stateDir, join(stateDir, 'workspaces')]) await removeUnfinished(folder);
  const identity = await loadIdentity(join(stateDir, 'identity.pem'));
  const machine = await machineId(stateDir);
  let control: ControlClient | null = null;
  const membership = await openMembership({
    stateDir,
    openNode: (clusterId, streamTarget) =>
      createNodeAgent({
        name,
        stateDir,
        machine,
        providers: options.createProviders?.(clusterId) ?? engines(clusterId, options),
        streamTarget,
        send: (message) => control?.send(message) ?? false,
        log,
      }),
    log,
  });
  await saveProcess(stateDir);
  const client = connectControl({
    url: options.serverUrl,
    role: 'agent',
    name,
    version: options.version,
    machine,
    identity,
    stateDir,
    joinToken: options.joinToken,
    onWelcome: (welcome) => membership.welcomed(welcome),
    onMessage: (message) => membership.take(message),
    onDown: (reason) => log.warn({ reason }, 'no connection to the server'),
    heartbeat: () => (membership.health ? { providers: membership.health } : {}),
    log,
  });
  control = client;
  log.info({ pid: process.pid, node: name }, 'the agent is up');
  const refusal = await endOf(client, options.signal);
  await membership[Symbol.asyncDispose]();
  if (refusal) throw refusal;
}

/** Ends the connection when told to. Resolves when it has ended, with why the server keeps this agent out. */
async function endOf(client: ControlClient, signal: AbortSignal | undefined): Promise<NexusError | null> {
  const onStop = (): void => void client[Symbol.asyncDispose]();
  signal?.addEventListener('abort', onStop);
  if (signal?.aborted) onStop();
  try {
    return await client.ended;
  } finally {
    signal?.removeEventListener('abort', onStop);
  }
}

function engines(clusterId: string, { relayCommand, stateDir }: AgentOptions): readonly Provider[] {
  const openCommandsFolder = join(stateDir, 'open-commands');
  return Object.values(providers).map((create) => create({ clusterId, relayCommand, openCommandsFolder }));
}
