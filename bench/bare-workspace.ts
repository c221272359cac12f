/** What a workspace is without the product: a copy of the same base, with the same limits and devices. */
import { randomBytes } from 'node:crypto';
import type { Installation } from '../test/support/installation.ts';
import { engine, untilBanner } from './bare-engine.ts';
import { timed } from './statistics.ts';
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
    // Ids of its own are the product's doing: the engine by itself would rewrite the owner of every file for them.
    config: Object.fromEntries(
      Object.entries(config).filter(([key]) => /^(?:limits|security)\./.test(key) && key !== 'security.idmap.isolated'),
    ),
    devices,
    nic: nicOf(devices).name,
  };
}

/**
 * Copies, starts, and waits for sshd, so many at once, and removes them. Returns how long it took until all of them
 * answered, in milliseconds.
 */
export async function timeBare(model: Model, count: number): Promise<number> {
  const names = Array.from({ length: count }, () => `bench-${randomBytes(4).toString('hex')}`);
  try {
    return await timed(() => Promise.all(names.map((name, place) => startBare(model, name, place))));
  } finally {
    await Promise.all(names.map(removeBare));
  }
}

/** `place` tells copies that are there at once apart, on the network. */
async function startBare({ nic, devices, ...model }: Model, name: string, place: number): Promise<void> {
  const device = devices[nic] ?? {};
  const address = (device['ipv4.address'] ?? '').replace(/\.\d+\.\d+$/, `.254.${200 + place}`);
  const own = { ...device, 'ipv4.address': address, host_name: `nxbench${place}` };
  await engine('POST', '/1.0/instances', { ...model, name, devices: { ...devices, [nic]: own }, profiles: [] });
  await engine('PUT', `/1.0/instances/${name}/state`, { action: 'start', timeout: 60 });
  await untilBanner(address, 22);
}

/** Also one that did not come to run, or to be. */
async function removeBare(name: string): Promise<void> {
  const stop = { action: 'stop', force: true, timeout: 30 };
  await engine('PUT', `/1.0/instances/${name}/state`, stop).catch(() => undefined);
  await engine('DELETE', `/1.0/instances/${name}`).catch((error: unknown) => {
    if (!/not found/i.test(String(error))) throw error;
  });
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
