import { stat, statfs } from 'node:fs/promises';
import type { HealthView, ProviderHealth } from '../../contract/node.ts';
import { version } from '../../lib/version.ts';
import { countFreePorts } from '../store/ports.ts';
import type { PortRange } from '../store/ports.ts';
import type { Store } from '../store/store.ts';
import type { AppDeps } from './app-deps.ts';
import type { Handlers } from './handler.ts';
import { nodeViews } from './nodes.ts';

type Deps = Pick<AppDeps, 'store' | 'peers' | 'now' | 'config' | 'reconciler'>;

export function healthHandlers(deps: Deps): Pick<Handlers, 'getHealth' | 'getStatus'> {
  const { store, peers, now, config, reconciler } = deps;
  const startedAt = performance.now();

  /** Degraded: the API works, but a node or its engines do not answer, or there is none at all, or no gateway. */
  async function health(): Promise<HealthView> {
    const views = await nodeViews(deps);
    const well =
      views.some(({ status }) => status === 'ready') &&
      views.every(({ status, providers }) => status !== 'unreachable' && hasEngine(providers));
    return {
      status: peers.gateway().connected && well ? 'ok' : 'degraded',
      timestamp: now().toISOString(),
      uptime_seconds: (performance.now() - startedAt) / 1000,
      nodes: Object.fromEntries(
        views.map(({ name, status, last_heartbeat, workspaces }) => [name, { status, last_heartbeat, workspaces }]),
      ),
      version,
    };
  }

  return {
    getHealth: health,
    async getStatus() {
      const disk = await statfs(config.data_dir);
      return {
        ...(await health()),
        database: { path: store.file, size_bytes: await databaseSize(store.file), schema_version: store.schemaVersion },
        ports: {
          ssh: await portsLeft(store, config.ports.ssh),
          services: await portsLeft(store, config.ports.services),
        },
        queue: reconciler.queueLength(),
        gateway: peers.gateway(),
        disk: { free_bytes: disk.bavail * disk.bsize, total_bytes: disk.blocks * disk.bsize },
      };
    },
  };
}

/** One that has not said yet what it has is believed to have one. */
function hasEngine(providers: readonly ProviderHealth[]): boolean {
  return providers.length === 0 || providers.some(({ ok }) => ok);
}

/** With what is not yet taken into the main file. */
async function databaseSize(file: string): Promise<number> {
  const sizes = await Promise.all(
    [file, `${file}-wal`].map((one) =>
      stat(one).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function portsLeft(store: Store, range: PortRange): Promise<{ total: number; free: number }> {
  return { total: range.last - range.first + 1, free: await countFreePorts(store.db, range) };
}
