import { createEngineClient, type EngineClient } from '../providers/lxc/engine-client.ts';
import { configuredNetwork } from '../providers/lxc/engine-project.ts';
import { likelySocket } from '../providers/lxc/find-socket.ts';
import { layout } from '../providers/lxc/layout.ts';
import { createLxcProvider } from '../providers/lxc/lxc-provider.ts';
import { parseRange } from '../providers/lxc/address-range.ts';
import { enginePackagesStep } from './engine-packages.ts';
import { engineRunningStep } from './engine-running.ts';
import { projectStep, storageStep } from './engine-storage.ts';
import { baseStep } from './base-step.ts';
import { kernelLimitsStep } from './kernel-limits.ts';
import { networkStep } from './network-step.ts';
import type { SetupStep } from './setup-step.ts';
import { systemStep } from './system-step.ts';
import { userIdsStep } from './user-ids.ts';

export type NodeOptions = {
  /** Of a new storage pool; absent: sensible for the disk. */
  readonly poolBytes?: number | undefined;
  /** IPv4 range of the workspaces; absent: what it was, or the default. */
  readonly range?: string | undefined;
  /** What workspaces may reach in the networks that the machine is in; absent: what it was, or nothing. */
  readonly reach?: readonly string[] | undefined;
  /** What workspaces have unless they ask for another. */
  readonly image?: string | undefined;
  /** Absent: found by itself. */
  readonly socketPath?: string | undefined;
  readonly project?: string | undefined;
  readonly pool?: string | undefined;
};

const defaultImage = 'debian:12';

/** The engine of this machine, where it is or will be. */
export function nodeEngine({ socketPath, project = layout.project }: NodeOptions): EngineClient {
  return createEngineClient({ socketPath: socketPath ?? (() => likelySocket()), project });
}

/** What has to be right before the engine can be asked anything. */
export function hostSteps({ socketPath }: NodeOptions): SetupStep[] {
  return [
    systemStep(),
    enginePackagesStep({ socketPath }),
    // The engine reads them when it starts.
    userIdsStep(),
    engineRunningStep({ socketPath }),
    kernelLimitsStep(),
  ];
}

/** @throws provider_unavailable when the engine does not answer */
export async function engineSteps(options: NodeOptions): Promise<SetupStep[]> {
  const { pool = layout.pool, image = defaultImage } = options;
  const engine = nodeEngine(options);
  const configured = await configuredNetwork(engine);
  const range = parseRange(options.range ?? configured?.range ?? layout.range).cidr;
  const reach = options.reach ?? configured?.reach ?? [];
  const provider = createLxcProvider({ ...options, range, reach, clusterId: 'node-setup', relayCommand: [] });
  return [
    storageStep(engine, { pool, poolBytes: options.poolBytes }),
    projectStep(engine, { range, reach }),
    networkStep({ range, reach }),
    baseStep(engine, { provider, image }),
  ];
}
