import { NexusError } from '../../../contract/errors.ts';
import type { AddressRange } from './address-range.ts';
import type { Addresses } from './addresses.ts';
import { finishBase } from './base-finish.ts';
import { unfinishedName, type CanonicalSpec } from './base-spec.ts';
import type { EngineClient } from './engine-client.ts';
import { fromEngine } from './engine-failure.ts';
import { execToEnd } from './exec.ts';
import { putFile } from './files.ts';
import { hostMtu } from './host-mtu.ts';
import { parseImageReference } from './image-reference.ts';
import { obtainImage } from './image-source.ts';
import { networkDevice, rootDevice } from './instance-config.ts';
import { keys } from './layout.ts';
import { mappedRootfs } from './isolation.ts';
import { removeInstance, startInstance, stopInstance } from './lifecycle.ts';
import { claimIds } from './own-ids.ts';
import { npmScript, packagesScript, provisionScript, sealScript } from './provision-script.ts';
import { requireRoom } from './room.ts';
import { sshAnswers } from './ssh-banner.ts';
import { resolverFile, surroundingsScript, type Surroundings } from './surroundings.ts';

export type BuildContext = {
  readonly engine: EngineClient;
  readonly addresses: Addresses;
  readonly range: () => Promise<AddressRange>;
  /** Puts the host's network rules in place. */
  readonly protect: () => Promise<void>;
  readonly pool: string;
  /** For files that are too large for the memory, while they are needed. */
  readonly cacheFolder: string;
  readonly signal: AbortSignal;
};

export type BuildRequest = {
  readonly spec: CanonicalSpec;
  readonly origin: Origin;
  readonly surroundings: Surroundings;
  readonly onProgress: (line: string) => void;
};

/** What a base starts from: its image; the base without packages; or itself as it was in other surroundings. */
export type Origin =
  | { readonly kind: 'image' }
  | { readonly kind: 'plain'; readonly base: string }
  | { readonly kind: 'outdated'; readonly base: string };

const createTimeoutMs = 5 * 60_000;
const firstBootTimeoutMs = 30_000;
const keptOutputLines = 20;

/** Makes a base and gives it its name. Whatever an earlier attempt left is removed first. */
export async function buildBase(context: BuildContext, request: BuildRequest): Promise<void> {
  const { engine } = context;
  const name = unfinishedName(request.spec);
  try {
    await removeInstance(engine, name);
    const address = await create(context, request);
    if (request.origin.kind === 'image') await prepareFirstBoot(engine, name, request.surroundings);
    await context.protect();
    await start(engine, name);
    const environment = await furnish(engine, name, request);
    if (request.origin.kind === 'image') await provesItself(engine, name, address);
    await runScript(engine, name, sealScript);
    await stopInstance(engine, name, { timeoutMs: 0, force: true });
    await finishBase(engine, { ...request, environment });
    request.onProgress('the base is ready');
  } catch (thrown) {
    await removeInstance(engine, name).catch(() => undefined);
    throw fromEngine(
      thrown,
      'the storage pool',
      (reason) => new NexusError('container_start_failed', { instance: name, reason }),
    );
  }
}

/** Returns the address that the instance has while it is made. */
async function create(context: BuildContext, request: BuildRequest): Promise<string> {
  const { spec, origin, onProgress } = request;
  if (origin.kind !== 'image')
    return createFrom(context, spec, { type: 'copy', source: origin.base, instance_only: true });
  const reference = parseImageReference(spec.image);
  if (!reference)
    throw new NexusError('image_not_found', {
      image: spec.image,
      reason: 'known are releases of Debian and Ubuntu, such as debian:12, ubuntu:22.04 and images:debian/12',
    });
  const image = await obtainImage(context, reference, onProgress);
  onProgress('unpacking the image');
  const address = await createFrom(context, spec, { type: 'image', fingerprint: image });
  await context.engine.operate('DELETE', `/1.0/images/${image}`, undefined, { timeoutMs: createTimeoutMs });
  return address;
}

async function createFrom(
  { engine, addresses, pool }: BuildContext,
  spec: CanonicalSpec,
  source: Record<string, unknown>,
): Promise<string> {
  const name = unfinishedName(spec);
  const mtu = await hostMtu();
  const config = {
    'security.nesting': 'false',
    'security.protection.shift': 'true',
    'raw.lxc': mappedRootfs,
    'boot.autostart': 'false',
    [keys.spec]: JSON.stringify(spec),
  };
  const devices = (address: string): Record<string, unknown> => ({
    root: rootDevice(pool),
    eth0: networkDevice(name, { address, mtu }),
  });
  return addresses.assign(name, {
    async make(address) {
      await requireRoom(engine, pool);
      const body = { name, source, config, devices: devices(address), profiles: [] };
      await engine.operate('POST', '/1.0/instances', body, { timeoutMs: createTimeoutMs });
    },
    async move(address) {
      await engine.change('PATCH', `/1.0/instances/${name}`, { devices: devices(address) });
    },
  });
}

/** Units that would take the network away again, or wait for one that the engine has set up already. */
const earlyMasks = ['systemd-networkd.service', 'networking.service', 'systemd-resolved.service', 'cloud-init.target'];

async function prepareFirstBoot(engine: EngineClient, name: string, surroundings: Surroundings): Promise<void> {
  const files = [
    { path: '/etc/resolv.conf', content: resolverFile(surroundings) },
    // An empty unit is a masked one.
    ...earlyMasks.map((unit) => ({ path: `/etc/systemd/system/${unit}`, content: '' })),
  ];
  for (const { path, content } of files) {
    await putFile(engine, name, path, Buffer.from(content), { mode: 0o644, owner: 'root' });
  }
}

async function start(engine: EngineClient, name: string): Promise<void> {
  await claimIds(engine, name);
  await startInstance(engine, name);
}

/** All that is done inside. Returns the lines of `/etc/environment`. */
async function furnish(engine: EngineClient, name: string, request: BuildRequest): Promise<string[]> {
  const { spec, origin, surroundings, onProgress } = request;
  if (origin.kind === 'image') {
    onProgress('setting up the user, sshd and the boot');
    const { exitCode, output } = await runScript(engine, name, provisionScript(), onProgress);
    if (exitCode !== 0) throw new NexusError('image_not_found', { image: spec.image, reason: reasonIn(output) });
  }
  if (origin.kind === 'plain') {
    onProgress(`installing ${spec.packages.join(', ')}`);
    const { exitCode, output } = await runScript(engine, name, packagesScript(spec.packages), onProgress);
    if (exitCode !== 0)
      throw new NexusError('package_install_failed', {
        packages: spec.packages,
        output: output.slice(-keptOutputLines),
      });
  }
  onProgress("taking over the node's certificates and proxy");
  const { exitCode, output } = await runScript(engine, name, surroundingsScript(surroundings));
  if (exitCode !== 0)
    throw new NexusError('container_start_failed', { instance: name, reason: `its environment: ${reasonIn(output)}` });
  if (origin.kind === 'image') await runScript(engine, name, npmScript, onProgress);
  return output.filter((line) => /^\w+=/.test(line));
}

function reasonIn(output: readonly string[]): string {
  return output.findLast((line) => line.startsWith('E: ')) ?? output.at(-1) ?? 'it could not be set up';
}

function runScript(
  engine: EngineClient,
  name: string,
  input: string,
  onLine?: (line: string) => void,
): Promise<{ exitCode: number; output: string[] }> {
  return execToEnd(engine, name, { command: ['/bin/sh', '-s'], cwd: '/', input, onLine });
}

/** Boots it as a workspace does. */
async function provesItself(engine: EngineClient, name: string, address: string): Promise<void> {
  await stopInstance(engine, name, { timeoutMs: 0, force: true });
  await start(engine, name);
  if (await sshAnswers(address, { timeoutMs: firstBootTimeoutMs })) return;
  const { output } = await execToEnd(engine, name, {
    command: ['journalctl', '--no-pager', '--lines=20', '--priority=warning'],
  });
  throw new NexusError('container_not_ready', {
    instance: name,
    waiting_for: `sshd (${output.at(-1) ?? 'nothing in the journal'})`,
    seconds: firstBootTimeoutMs / 1000,
  });
}
