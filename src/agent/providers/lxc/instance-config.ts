import { z } from 'zod';
import type { Instance, InstanceLimits, InstanceSpec } from '../provider.ts';
import { isolationConfig, mappedRootfs } from './isolation.ts';
import { instanceName, interfaceName, keys, layout } from './layout.ts';

/** An instance as the engine describes it: the part that we read. */
export const engineInstance = z.object({
  name: z.string(),
  status: z.string(),
  config: z.record(z.string(), z.string()),
  devices: z.record(z.string(), z.record(z.string(), z.string())),
});
export type EngineInstance = z.infer<typeof engineInstance>;

export type Placement = {
  readonly cluster: string;
  readonly pool: string;
  readonly address: string;
  readonly mtu: number;
  /** What the engine calls its API for guests (`guestApiSetting`). */
  readonly guestApi: GuestApiSetting;
};

export type GuestApiSetting = 'security.devlxd' | 'security.guestapi';

/** @param engine as it names itself: `lxd` or `incus` */
export function guestApiSetting(engine: string): GuestApiSetting {
  return engine === 'incus' ? 'security.guestapi' : 'security.devlxd';
}

/** The body of the request that copies a base. */
export function instanceBody(spec: InstanceSpec, placement: Placement): Record<string, unknown> {
  const name = instanceName(spec.id);
  return {
    name,
    source: { type: 'copy', source: spec.base.name, instance_only: true },
    config: {
      ...limitConfig(spec.limits),
      ...isolationConfig,
      // A workspace needs nothing of its engine.
      [placement.guestApi]: 'false',
      'boot.autostart': 'false',
      'raw.lxc': `${mappedRootfs}\nlxc.uts.name = ${hostLabel(spec.hostname)}`,
      [keys.cluster]: placement.cluster,
      [keys.workspace]: spec.id,
      [keys.base]: spec.base.name,
    },
    devices: {
      root: { ...rootDevice(placement.pool), size: `${spec.limits.diskBytes}B` },
      eth0: networkDevice(name, placement),
      ...(spec.folder ? { agent: folderDevice(spec.folder) } : {}),
    },
  };
}

/** The engine's raw settings must never get more than a name, wherever it comes from. */
function hostLabel(hostname: string): string {
  return hostname.replaceAll(/[^A-Za-z0-9-]/g, '-').slice(0, 63);
}

export function rootDevice(pool: string): Record<string, string> {
  return { type: 'disk', path: '/', pool };
}

function folderDevice(folder: NonNullable<InstanceSpec['folder']>): Record<string, string> {
  return { type: 'disk', ...folder, readonly: 'true', required: 'false' };
}

export function networkDevice(
  name: string,
  { address, mtu }: { address: string; mtu: number },
): Record<string, string> {
  return {
    type: 'nic',
    nictype: 'routed',
    name: 'eth0',
    host_name: interfaceName(name),
    'ipv4.address': address,
    'ipv4.neighbor_probe': 'false',
    mtu: String(mtu),
  };
}

/**
 * A workspace's weight where processors are short, of a process's or another container's on the host. It takes all
 * that is idle. With 100 % a fork bomb kept the server, the gateway and other workspaces waiting for a second at a time
 * (`bench/isolation.ts`), with 10 % for 20 ms; less changed nothing more.
 */
const processorWeight = '10%';

/**
 * Whole processors are given as such, so that `nproc` inside is right; a part of one is a share of time, which the
 * engine takes instead of a weight.
 */
export function limitConfig({ cpu, memoryBytes, processes }: InstanceLimits): Record<string, string> {
  return {
    'limits.cpu': String(Math.ceil(cpu)),
    'limits.cpu.allowance': Number.isInteger(cpu) ? processorWeight : `${Math.round(cpu * 100)}ms/100ms`,
    'limits.memory': `${memoryBytes}B`,
    'limits.processes': String(processes),
  };
}

export function toInstance({ status, config, devices }: EngineInstance): Instance | null {
  const id = config[keys.workspace];
  if (id === undefined) return null;
  return {
    id,
    state: stateOf(status),
    address: devices['eth0']?.['ipv4.address'] ?? null,
    base: config[keys.base] ?? '',
  };
}

function stateOf(status: string): Instance['state'] {
  if (status === 'Running') return 'running';
  return status === 'Frozen' ? 'frozen' : 'stopped';
}

export function isWorkspaceOf(cluster: string, { name, config }: EngineInstance): boolean {
  return name.startsWith(layout.instancePrefix) && config[keys.cluster] === cluster;
}
