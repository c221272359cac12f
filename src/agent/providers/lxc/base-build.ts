import { NexusError } from '../../../contract/errors.ts';
import { applyNetworkRules } from './apply-network-rules.ts';
import { instancesOf, type Addresses } from './addresses.ts';
import { resolverAddresses, type AddressRange } from './address-range.ts';
import { baseName, unfinishedName, type CanonicalSpec } from './base-spec.ts';
import type { EngineClient } from './engine-client.ts';
import { fromEngine, isNotFound } from './engine-failure.ts';
import { execToEnd } from './exec.ts';
import { putFile, removeFile } from './files.ts';
import { hostMtu } from './host-mtu.ts';
import { parseImageReference } from './image-reference.ts';
import { obtainImage } from './image-source.ts';
import { networkDevice, rootDevice } from './instance-config.ts';
import { keys, layout } from './layout.ts';
import { removeInstance, startInstance, stopInstance } from './lifecycle.ts';
import { npmScript, packagesScript, provisionScript, sealScript, surroundingsScript } from './provision-script.ts';
import { sshAnswers } from './ssh-banner.ts';
import { surroundingsFingerprint, type Surroundings } from './surroundings.ts';

export type BuildContext = {
  readonly engine: EngineClient;
  readonly addresses: Addresses;
  readonly range: () => Promise<AddressRange>;
  readonly pool: string;
  /** For files that are too large for the memory, while they are needed. */
  readonly cacheFolder: string;
  readonly signal: AbortSignal;
};

export type BuildRequest = {
  readonly spec: CanonicalSpec;
  /** Name of the base without packages, for one that has some. */
  readonly plain: string | null;
  readonly surroundings: Surroundings;
  readonly onProgress: (line: string) => void;
};

const createTimeoutMs = 5 * 60_000;
const firstBootTimeoutMs = 30_000;
const keptOutputLines = 20;

/** Makes a base and gives it its name. Whatever an earlier attempt left is removed first. */
export async function buildBase(context: BuildContext, request: BuildRequest): Promise<void> {
  const { engine } = context;
  const { spec, plain, surroundings, onProgress } = request;
  const name = unfinishedName(spec);
  await removeInstance(engine, name);
  try {
    const address = await (plain === null
      ? createFromImage(context, request)
      : createFromBase(context, request, plain));
    await prepareFirstBoot(engine, name, await context.range());
    await applyNetworkRules({ range: (await context.range()).cidr });
    await startInstance(engine, name);
    if (plain === null) {
      onProgress('setting up the user, sshd and the boot');
      await provision(engine, name, request);
    } else {
      onProgress(`installing ${spec.packages.join(', ')}`);
      await installPackages(engine, name, request);
    }
    const environment = await applySurroundings(engine, name, surroundings);
    if (plain === null) {
      await runScript(engine, name, npmScript, onProgress);
      onProgress('starting it once');
      await provesItself(engine, name, address);
    }
    await runScript(engine, name, sealScript);
    await stopInstance(engine, name, { timeoutMs: 0, force: true });
    await finish(engine, request, environment);
    onProgress('the base is ready');
  } catch (thrown) {
    await removeInstance(engine, name).catch(() => undefined);
    throw fromEngine(thrown, name, (reason) => new NexusError('container_start_failed', { instance: name, reason }));
  }
}

async function createFromImage(context: BuildContext, { spec, onProgress }: BuildRequest): Promise<string> {
  const reference = parseImageReference(spec.image);
  if (!reference)
    throw new NexusError('image_not_found', {
      image: spec.image,
      reason: 'known are releases of Debian and Ubuntu, such as debian:12, ubuntu:22.04 and images:debian/12',
    });
  const image = await obtainImage(context, reference, onProgress);
  onProgress('unpacking the image');
  const source = { type: 'image', fingerprint: image };
  const address = await create(context, { spec, source });
  await context.engine.operate('DELETE', `/1.0/images/${image}`, undefined, { timeoutMs: createTimeoutMs });
  return address;
}

function createFromBase(context: BuildContext, { spec }: BuildRequest, plain: string): Promise<string> {
  return create(context, { spec, source: { type: 'copy', source: plain, instance_only: true } });
}

async function create(
  { engine, addresses, pool }: BuildContext,
  { spec, source }: { spec: CanonicalSpec; source: Record<string, unknown> },
): Promise<string> {
  const name = unfinishedName(spec);
  const mtu = await hostMtu();
  const devices = (address: string): Record<string, unknown> => ({
    root: rootDevice(pool),
    eth0: networkDevice(name, { address, mtu }),
  });
  const config = { 'security.nesting': 'false', 'boot.autostart': 'false', [keys.spec]: JSON.stringify(spec) };
  let given = '';
  await addresses.assign(name, {
    async make(address) {
      given = address;
      const body = { name, source, config, devices: devices(address), profiles: [] };
      await engine.operate('POST', '/1.0/instances', body, { timeoutMs: createTimeoutMs });
    },
    async move(address) {
      given = address;
      await engine.change('PATCH', `/1.0/instances/${name}`, { devices: devices(address) });
    },
  });
  return given;
}

/** Units that would take the network away again, or wait for one that the engine has set up already. */
const earlyMasks = ['systemd-networkd.service', 'networking.service', 'systemd-resolved.service', 'cloud-init.target'];

async function prepareFirstBoot(engine: EngineClient, name: string, range: AddressRange): Promise<void> {
  const resolvers = resolverAddresses(range).map((address) => `nameserver ${address}\n`);
  await removeFile(engine, name, '/etc/resolv.conf');
  const content = Buffer.from(`${resolvers.join('')}options timeout:2 attempts:3\n`);
  await putFile(engine, name, '/etc/resolv.conf', content, { mode: 0o644, owner: 'root' });
  for (const unit of earlyMasks) {
    const path = `/etc/systemd/system/${unit}`;
    await removeFile(engine, name, path);
    await putFile(engine, name, path, Buffer.alloc(0), { mode: 0o644, owner: 'root' });
  }
}

async function provision(engine: EngineClient, name: string, { spec, onProgress }: BuildRequest): Promise<void> {
  const { exitCode, output } = await runScript(engine, name, provisionScript(), onProgress);
  if (exitCode === 0) return;
  throw new NexusError('image_not_found', { image: spec.image, reason: reasonIn(output) });
}

async function installPackages(engine: EngineClient, name: string, { spec, onProgress }: BuildRequest): Promise<void> {
  const { exitCode, output } = await runScript(engine, name, packagesScript(spec.packages), onProgress);
  if (exitCode === 0) return;
  throw new NexusError('package_install_failed', { packages: spec.packages, output: output.slice(-keptOutputLines) });
}

function reasonIn(output: readonly string[]): string {
  return output.findLast((line) => line.startsWith('E: ')) ?? output.at(-1) ?? 'it could not be set up';
}

/** Returns what `/etc/environment` says now. */
async function applySurroundings(engine: EngineClient, name: string, surroundings: Surroundings): Promise<string[]> {
  const { exitCode, output } = await runScript(engine, name, surroundingsScript(surroundings));
  if (exitCode === 0) return output;
  throw new NexusError('container_start_failed', { instance: name, reason: output.at(-1) ?? 'its environment' });
}

function runScript(
  engine: EngineClient,
  name: string,
  input: string,
  onLine?: (line: string) => void,
): Promise<{ exitCode: number; output: string[] }> {
  return execToEnd(engine, name, { command: ['/bin/sh', '-s'], cwd: '/', input, onLine });
}

async function provesItself(engine: EngineClient, name: string, address: string): Promise<void> {
  await stopInstance(engine, name, { timeoutMs: 0, force: true });
  await startInstance(engine, name);
  if (await sshAnswers(address, { timeoutMs: firstBootTimeoutMs })) return;
  const { output } = await execToEnd(engine, name, {
    command: ['journalctl', '--no-pager', '-n', '20', '-p', 'warning'],
  });
  throw new NexusError('container_not_ready', {
    instance: name,
    waiting_for: `sshd (${output.at(-1) ?? 'nothing in the journal'})`,
    seconds: firstBootTimeoutMs / 1000,
  });
}

/**
 * Renames the finished instance to its base's name. One of before, made in other surroundings, goes out of the way
 * first; workspaces copied from it share nothing with it that it could take along.
 */
async function finish(
  engine: EngineClient,
  { spec, surroundings }: BuildRequest,
  environment: readonly string[],
): Promise<void> {
  const name = unfinishedName(spec);
  const variables = environment.map((line) => {
    const at = line.indexOf('=');
    return [`environment.${line.slice(0, at)}`, line.slice(at + 1)];
  });
  const config = { ...Object.fromEntries(variables), [keys.surroundings]: surroundingsFingerprint(surroundings) };
  await engine.change('PATCH', `/1.0/instances/${name}`, { config });
  const outdated = `${layout.unfinishedPrefix}old-${baseName(spec).slice(layout.basePrefix.length)}`;
  await removeInstance(engine, outdated);
  await rename(engine, baseName(spec), outdated).catch((thrown) => {
    if (!isNotFound(thrown)) throw thrown;
  });
  await rename(engine, name, baseName(spec));
  await removeInstance(engine, outdated);
  await removeOlder(engine, spec);
}

/** Bases of the same spec that were made with other scripts than today's. */
async function removeOlder(engine: EngineClient, spec: CanonicalSpec): Promise<void> {
  const all = await instancesOf(engine);
  const older = all.filter(
    ({ name, config }) =>
      name.startsWith(layout.basePrefix) && name !== baseName(spec) && config[keys.spec] === JSON.stringify(spec),
  );
  for (const { name } of older) await removeInstance(engine, name);
}

async function rename(engine: EngineClient, from: string, to: string): Promise<void> {
  await engine.operate('POST', `/1.0/instances/${from}`, { name: to }, { timeoutMs: createTimeoutMs });
}
