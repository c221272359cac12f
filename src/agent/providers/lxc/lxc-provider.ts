import { z } from 'zod';
import { NexusError } from '../../../contract/errors.ts';
import type { Capabilities, EngineHealth, Instance, InstanceSpec, Provider } from '../provider.ts';
import { createAddresses } from './addresses.ts';
import { parseRange, type AddressRange } from './address-range.ts';
import { createBases } from './bases.ts';
import { dialInstance } from './dial.ts';
import { createEngineClient, type EngineClient } from './engine-client.ts';
import { fromEngine, isAlreadyThere, isNotFound } from './engine-failure.ts';
import { execInInstance } from './exec.ts';
import { getFile, putFile } from './files.ts';
import { findSocket, knownSockets } from './find-socket.ts';
import { hostMtu } from './host-mtu.ts';
import { engineInstance, instanceBody, isWorkspaceOf, networkDevice, toInstance } from './instance-config.ts';
import { configuredRange } from './engine-project.ts';
import { instanceName, layout } from './layout.ts';
import { removeInstance, startInstance, stateOf, stopInstance, whenIdle } from './lifecycle.ts';

export type LxcOptions = {
  /** Only instances of this cluster are ever seen or touched. */
  readonly clusterId: string;
  /** Absent: found by itself. */
  readonly socketPath?: string | undefined;
  readonly project?: string | undefined;
  readonly pool?: string | undefined;
  /** IPv4 range of the workspaces; absent: what the node was set up with. */
  readonly range?: string | undefined;
  /** Program and arguments that call `runRelay` with the port that is appended. */
  readonly relayCommand: readonly string[];
  /** Whether bases know the node's extra certificate authorities and proxy; on by default. */
  readonly carrySurroundings?: boolean | undefined;
  readonly cacheFolder?: string | undefined;
};

const capabilities: Capabilities = { init: 'systemd', freeze: true, snapshot: true, directAddress: true };
const createTimeoutMs = 120_000;

/** Workspaces as unprivileged containers of LXD or Incus. @throws provider_unavailable when there is neither */
export function createLxcProvider(options: LxcOptions): Provider {
  const { clusterId, project = layout.project, pool = layout.pool } = options;
  const socketPath = options.socketPath ?? findSocket() ?? knownSockets[knownSockets.length - 1] ?? '';
  const engine = createEngineClient({ socketPath, project });
  const stopped = new AbortController();

  const range = async (): Promise<AddressRange> =>
    parseRange(options.range ?? (await configuredRange(engine)) ?? layout.range);
  const addresses = createAddresses(engine, range);
  const bases = createBases(
    { engine, addresses, range, pool, cacheFolder: options.cacheFolder ?? '/var/cache/nexus', signal: stopped.signal },
    { carrySurroundings: options.carrySurroundings ?? true },
  );

  async function inspect(id: string): Promise<Instance | null> {
    try {
      const found = await engine.get(`/1.0/instances/${instanceName(id)}`, engineInstance);
      return isWorkspaceOf(clusterId, found) ? toInstance(found) : null;
    } catch (thrown) {
      if (isNotFound(thrown)) return null;
      throw unavailable(thrown);
    }
  }

  async function create(spec: InstanceSpec): Promise<Instance> {
    const name = instanceName(spec.id);
    const mtu = await hostMtu();
    await addresses
      .assign(
        name,
        async (address) => {
          const body = instanceBody(spec, { cluster: clusterId, pool, address, mtu });
          await engine.operate('POST', '/1.0/instances', body, { timeoutMs: createTimeoutMs });
        },
        async (address) => {
          const devices = { eth0: networkDevice(name, { address, mtu }) };
          await engine.change('PATCH', `/1.0/instances/${name}`, { devices });
        },
      )
      .catch(async (thrown) => {
        if (!isAlreadyThere(thrown)) throw fromEngine(thrown, `pool ${pool}`, notCreated(name));
        await whenIdle(engine, name);
      });
    const made = await inspect(spec.id);
    if (!made) throw notCreated(name)('it is not there, or belongs to another cluster');
    return made;
  }

  return {
    name: 'lxc',
    capabilities,
    probe: () => probe(engine, pool),
    ensureBase: (spec, ensureOptions) => bases.ensure(spec, ensureOptions),
    async list() {
      const found = await engine
        .get('/1.0/instances', z.array(engineInstance), { query: { recursion: '1' } })
        .catch((thrown) => Promise.reject(unavailable(thrown)));
      return found.filter((instance) => isWorkspaceOf(clusterId, instance)).flatMap((found) => toInstance(found) ?? []);
    },
    inspect,
    create,
    start: (id) => startInstance(engine, instanceName(id)),
    stop: (id, stopOptions) => stopInstance(engine, instanceName(id), stopOptions),
    remove: (id) => removeInstance(engine, instanceName(id)),
    exec: (id, spec) => execInInstance(engine, instanceName(id), spec),
    putFile: (id, path, content, fileOptions) => putFile(engine, instanceName(id), path, content, fileOptions),
    getFile: (id, path) => getFile(engine, instanceName(id), path),
    async dial(id, port) {
      const instance = await inspect(id);
      if (!instance?.address) throw new NexusError('stream_failed', { reason: `there is no instance of ${id}` });
      const initProcess = async (): Promise<number> => (await stateOf(engine, instanceName(id)))?.pid ?? 0;
      return dialInstance({ address: instance.address, port, initProcess, relayCommand: options.relayCommand });
    },
    async [Symbol.asyncDispose]() {
      stopped.abort();
    },
  };
}

async function probe(engine: EngineClient, pool: string): Promise<EngineHealth> {
  const server = z.object({ environment: z.object({ server: z.string(), server_version: z.string() }) });
  const resources = z.object({ space: z.object({ used: z.number(), total: z.number() }) });
  try {
    const [{ environment }, { space }] = await Promise.all([
      engine.get('/1.0', server),
      engine.get(`/1.0/storage-pools/${pool}/resources`, resources),
    ]);
    return {
      engine: environment.server,
      version: environment.server_version,
      diskTotalBytes: space.total,
      diskFreeBytes: space.total - space.used,
    };
  } catch (thrown) {
    throw unavailable(thrown);
  }
}

function unavailable(thrown: unknown): unknown {
  return fromEngine(thrown, 'the engine', (reason) => new NexusError('provider_unavailable', { provider: 'lxc', reason }));
}

function notCreated(name: string): (reason: string) => NexusError {
  return (reason) => new NexusError('container_start_failed', { instance: name, reason });
}
