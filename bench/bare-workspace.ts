/** What a workspace is without the product: a copy of the same base, with the same limits and devices. */
import { randomBytes } from 'node:crypto';
import type { Installation } from '../test/support/installation.ts';
import { engine, untilBanner } from './bare-engine.ts';
import { deleteAll, requestWorkspace } from './workspaces.ts';

type Devices = Readonly<Record<string, Readonly<Record<string, string>>>>;
type EngineInstance = {
  readonly name: string;
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Devices;
};

export type Model = {
  readonly source: object;
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Devices;
  /** The name of the network device among them. */
  readonly nic: string;
};

/** The engine's own words for a workspace that this installation makes. */
export async function modelWorkspace(nexus: Installation): Promise<Model> {
  const { workspace_id, ssh_port } = await requestWorkspace(nexus, 'model');
  await untilBanner('127.0.0.1', ssh_port);
  const { config, devices } = await instanceOf(workspace_id);
  await deleteAll(nexus);
  const base = config['user.nexus.base'];
  if (base === undefined) throw new Error('the instance does not name its base');
  return {
    source: { type: 'copy', source: base, instance_only: true },
    config: Object.fromEntries(Object.entries(config).filter(([key]) => /^(?:limits|security)\./.test(key))),
    devices,
    nic: nicOf(devices).name,
  };
}

/** Copies, starts, and waits for sshd. `place` tells copies that are there at once apart. Returns its name. */
export async function startBare({ nic, devices, ...model }: Model, place = 0): Promise<string> {
  const name = `bench-${randomBytes(4).toString('hex')}`;
  const address = (devices[nic]?.['ipv4.address'] ?? '').replace(/\.\d+\.\d+$/, `.254.${200 + place}`);
  const own = { ...devices, [nic]: { ...devices[nic], 'ipv4.address': address } };
  await engine('POST', '/1.0/instances', { ...model, name, devices: own, profiles: [] });
  await engine('PUT', `/1.0/instances/${name}/state`, { action: 'start', timeout: 60 });
  await untilBanner(address, 22);
  return name;
}

export async function removeBare(name: string): Promise<void> {
  await engine('PUT', `/1.0/instances/${name}/state`, { action: 'stop', force: true, timeout: 30 });
  await engine('DELETE', `/1.0/instances/${name}`);
}

/** Where a workspace of the product is reached without the gateway. */
export async function addressOf(workspaceId: string): Promise<string> {
  return nicOf((await instanceOf(workspaceId)).devices).address;
}

/** By which the engine knows a workspace of the product. */
export function instanceName(workspaceId: string): string {
  return `nexus-${workspaceId.replace(/^ws-/, '')}`;
}

async function instanceOf(workspaceId: string): Promise<EngineInstance> {
  return (await engine('GET', `/1.0/instances/${instanceName(workspaceId)}`)) as EngineInstance;
}

function nicOf(devices: Devices): { name: string; address: string } {
  const [name, nic] = Object.entries(devices).find(([, device]) => device['type'] === 'nic') ?? [];
  if (name === undefined || nic === undefined) throw new Error('the workspace has no network device');
  return { name, address: nic['ipv4.address'] ?? '' };
}
