import type { ServerConfig } from '../../contract/server-config.ts';
import type { PeerEvent } from '../control/peer-events.ts';
import { listPorts } from '../store/ports.ts';
import type { Store } from '../store/store.ts';
import { movePort, type OccupiedPorts } from './occupied-ports.ts';
import type { RoutesPublisher } from './routing-table.ts';

/** What came of the routing table at the gateway: workspaces get other ports than those that another process has. */
export async function takeApplied(
  { version, failed }: Extract<PeerEvent, { type: 'routes_applied' }>,
  parts: {
    readonly store: Store;
    readonly ports: ServerConfig['ports'];
    readonly occupied: OccupiedPorts;
    readonly routes: RoutesPublisher;
    /** Something changed for this workspace. */
    readonly wake: (workspaceId: string) => void;
  },
): Promise<void> {
  const { store, ports, occupied, routes, wake } = parts;
  if (version !== routes.version) return;
  const listened = await listPorts(store.db);
  const before = [...occupied.current().keys()];
  occupied.applied(
    listened.map(({ port }) => port),
    failed,
  );
  const settings = { ports, occupied: new Set(occupied.current().keys()) };
  for (const { listen } of failed) {
    const outcome = await store.transaction((tx) => movePort(tx, listen, settings));
    if (outcome?.moved) routes.publish();
  }
  const changed = new Set([...before, ...settings.occupied]);
  for (const { port, workspace_id } of listened) if (changed.has(port)) wake(workspace_id);
  routes.taken(version);
}
