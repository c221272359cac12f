import { NexusError } from '../../../contract/errors.ts';
import type { Capabilities, Instance, Provider } from '../provider.ts';
import { createAddresses } from './addresses.ts';
import { createBases } from './bases.ts';
import { createInstance } from './create-instance.ts';
import { dialInstance } from './dial.ts';
import { createEngineClient } from './engine-client.ts';
import { execInInstance } from './exec.ts';
import { getFile, putFile } from './files.ts';
import { findInstance, findInstances } from './find-instances.ts';
import { likelySocket } from './find-socket.ts';
import { guestApiSetting, type GuestApiSetting } from './instance-config.ts';
import { instanceName, layout } from './layout.ts';
import { forgetfulCommands, openCommandsIn } from './open-commands.ts';
import { removeInstance, startInstance, stateOf, stopInstance } from './lifecycle.ts';
import { claimIds } from './own-ids.ts';
import { removeRemains } from './remains.ts';
import { engineKind, probeEngine } from './probe-engine.ts';
import { workspaceNetwork } from './workspace-network.ts';

export type LxcOptions = {
  /** Only instances of this cluster are ever seen or touched. */
  readonly clusterId: string;
  /** Absent: found by itself, at every request. */
  readonly socketPath?: string | undefined;
  readonly project?: string | undefined;
  readonly pool?: string | undefined;
  /** IPv4 range of the workspaces; absent: what the node was set up with. */
  readonly range?: string | undefined;
  /** What workspaces may reach in the networks of the host; absent: what the node was set up with. */
  readonly reach?: readonly string[] | undefined;
  /** Program and arguments that call `runRelay`; the port is appended. */
  readonly relayCommand: readonly string[];
  /** Whether bases know the node's extra certificate authorities and proxy; on unless turned off. */
  readonly carrySurroundings?: boolean | undefined;
  /** Notes what must not outlive this process, for its successor to end. Absent: there is none. */
  readonly openCommandsFolder?: string | undefined;
  /** For files that are too large for the memory, while a base is built. */
  readonly cacheFolder?: string | undefined;
};

const capabilities: Capabilities = { init: 'systemd', freeze: true, snapshot: true, directAddress: true };

/** Workspaces as unprivileged containers of LXD or Incus. */
export function createLxcProvider(options: LxcOptions): Provider {
  const { clusterId, project = layout.project, pool = layout.pool, cacheFolder = layout.cacheFolder } = options;
  const engine = createEngineClient({ socketPath: options.socketPath ?? (() => likelySocket()), project });
  const stopped = new AbortController();
  const { openCommandsFolder } = options;
  const openCommands = openCommandsFolder === undefined ? forgetfulCommands : openCommandsIn(openCommandsFolder);
  // An engine that does not answer now is cleaned up at the next start.
  if (openCommandsFolder !== undefined) void removeRemains(engine, { signal: stopped.signal }).catch(() => undefined);

  const { range, protect } = workspaceNetwork(engine, options);
  const addresses = createAddresses(engine, range);
  const bases = createBases(
    { engine, addresses, range, protect, pool, cacheFolder, signal: stopped.signal },
    { carrySurroundings: options.carrySurroundings ?? true },
  );

  // An engine stays what it is: it is asked once.
  let known: GuestApiSetting | null = null;
  const guestApi = async (): Promise<GuestApiSetting> => (known ??= guestApiSetting(await engineKind(engine)));

  const inspect = (id: string): Promise<Instance | null> => findInstance(engine, clusterId, id);

  return {
    name: 'lxc',
    capabilities,
    async probe() {
      const health = await probeEngine(engine, pool);
      // Whoever flushes the host's rules must not open the workspaces that run.
      await protect();
      return health;
    },
    ensureBase: (spec, ensureOptions) => bases.ensure(spec, ensureOptions),
    list: () => findInstances(engine, clusterId),
    inspect,
    async create(spec) {
      await createInstance({ engine, addresses, clusterId, pool, guestApi }, spec);
      const made = await inspect(spec.id);
      if (made) return made;
      const reason = 'it was removed meanwhile, or is of another cluster';
      throw new NexusError('container_start_failed', { instance: instanceName(spec.id), reason });
    },
    async start(id) {
      await Promise.all([protect(), claimIds(engine, instanceName(id))]);
      await startInstance(engine, instanceName(id));
    },
    stop: (id, stopOptions) => stopInstance(engine, instanceName(id), stopOptions),
    remove: (id) => removeInstance(engine, instanceName(id)),
    exec: (id, spec) => execInInstance(engine, instanceName(id), spec, openCommands),
    putFile: (id, path, content, fileOptions) => putFile(engine, instanceName(id), path, content, fileOptions),
    getFile: (id, path) => getFile(engine, instanceName(id), path),
    async dial(id, port) {
      const instance = await inspect(id);
      if (!instance?.address) throw new NexusError('stream_failed', { reason: `there is no instance of ${id}` });
      const initProcess = async (): Promise<number> => (await stateOf(engine, instanceName(id)))?.pid ?? 0;
      return dialInstance({ address: instance.address, port, initProcess, relayCommand: options.relayCommand });
    },
    [Symbol.asyncDispose]: async () => stopped.abort(),
  };
}
