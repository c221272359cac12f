import { EventEmitter, once } from 'node:events';
import { isDeepStrictEqual } from 'node:util';
import type { Route, RoutingTable } from '../../contract/control-protocol.ts';
import { findSetting, putSetting } from '../store/settings.ts';
import type { Db, Store } from '../store/store.ts';
import type { StreamKeys } from '../stream-keys.ts';

const versionSetting = 'routes_version';

/** Every port that is given out and whose workspace has a node by now, and who may open streams. */
async function readRoutes(db: Db, streamKeys: StreamKeys): Promise<Omit<RoutingTable, 'version'>> {
  const ports = await db
    .selectFrom('ports')
    .innerJoin('workspaces', 'workspaces.id', 'ports.workspace_id')
    .innerJoin('nodes', 'nodes.name', 'workspaces.node')
    .select(['ports.port', 'ports.pool', 'ports.target_port', 'workspaces.id', 'workspaces.address'])
    .select(['nodes.name as node', 'nodes.machine'])
    .orderBy('ports.port')
    .execute();
  const routes = ports.map((row): Route => ({
    kind: row.pool === 'ssh' ? 'ssh' : 'service',
    listen: row.port,
    workspace_id: row.id,
    node: row.node,
    port: row.target_port,
    address: row.address,
    machine: row.machine,
  }));
  const agents = await db.selectFrom('nodes').select(['name', 'public_key']).where('role', '=', 'agent').execute();
  const keys = agents.map((agent) => [agent.name, streamKeys.of(agent)] as const);
  return { routes, stream_keys: Object.fromEntries([...keys, ['server', streamKeys.server]]) };
}

export type RoutesPublisher = {
  /** Sends the table as it is now, soon; calls that come together are one. */
  publish(): void;
  /** When all that was asked for so far was sent. */
  idle(): Promise<void>;
  readonly version: number;
  /** The gateway has tried the table of this version, and what came of it was noted. */
  taken(version: number): void;
  /** When that is so of the newest table, or `signal` is aborted. */
  applied(signal: AbortSignal): Promise<void>;
};

/** The version counts up with every change of the table, over restarts of the server too. */
export function createRoutesPublisher(options: {
  readonly store: Store;
  readonly streamKeys: StreamKeys;
  readonly send: (table: RoutingTable) => void;
  readonly onError: (error: unknown) => void;
}): RoutesPublisher {
  const { store, streamKeys, send, onError } = options;
  let sent: RoutingTable | null = null;
  let isAsked = false;
  let running: Promise<void> | null = null;
  const gateway = new EventEmitter().setMaxListeners(0);
  let takenVersion = 0;

  async function sendTable(): Promise<void> {
    const routes = await readRoutes(store.db, streamKeys);
    if (sent && isDeepStrictEqual({ ...routes, version: sent.version }, sent)) return;
    const version = await store.transaction(async (tx) => {
      const next = Number((await findSetting(tx, versionSetting)) ?? 0) + 1;
      await putSetting(tx, versionSetting, String(next));
      return next;
    });
    sent = { version, ...routes };
    send(sent);
  }
  async function run(): Promise<void> {
    while (isAsked) {
      isAsked = false;
      await sendTable().catch(onError);
    }
    running = null;
  }

  return {
    publish() {
      isAsked = true;
      running ??= run();
    },
    idle: () => running ?? Promise.resolve(),
    get version() {
      return sent?.version ?? 0;
    },
    taken(version) {
      takenVersion = version;
      gateway.emit('taken');
    },
    async applied(signal) {
      await running;
      if (signal.aborted || takenVersion >= (sent?.version ?? 0)) return;
      await once(gateway, 'taken', { signal }).catch(() => undefined);
      return this.applied(signal);
    },
  };
}
