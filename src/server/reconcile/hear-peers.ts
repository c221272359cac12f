/** What agents and gateways tell, and which workspaces it concerns. */
import type { PeerEvent } from '../control/peer-events.ts';
import type { Hub } from '../control/hub.ts';
import type { Metrics } from '../metrics.ts';
import type { Store } from '../store/store.ts';
import { findWorkspace } from '../store/workspaces.ts';
import { createEngineReturns } from './engine-returns.ts';
import { createNewest } from './newest.ts';
import type { WorkspaceLoops } from './workspace-loops.ts';

export type HearPeersParts = {
  readonly store: Store;
  readonly loops: Pick<WorkspaceLoops, 'of' | 'onNode' | 'wakeUnplaced'>;
  readonly metrics: Pick<Metrics, 'sshConnected'>;
  /** The gateway's routes may have changed. */
  readonly routesChanged: () => void;
  readonly onApplied: (event: Extract<PeerEvent, { type: 'routes_applied' }>) => Promise<void>;
  readonly onError: (error: unknown) => void;
};

/** Returns what ends it. */
export function hearPeers(events: Hub['events'], parts: HearPeersParts): () => void {
  const { store, loops, metrics, routesChanged, onApplied, onError } = parts;
  const engineReturns = createEngineReturns(store);
  const takeReport = createNewest(hear, { onError });

  async function hear(event: PeerEvent): Promise<void> {
    switch (event.type) {
      case 'connected':
        // A new node has a stream key of its own.
        routesChanged();
        return event.role === 'agent' ? loops.onNode(event.name, (loop) => loop.invalidate()) : undefined;
      case 'reachability':
        return loops.onNode(event.node, (loop) => loop.wake());
      case 'heartbeat':
        for (const id of await engineReturns.heard(event.node, event.providers ?? [])) loops.of(id).wake();
        // The room that a node reports may be what a workspace waits for.
        return loops.wakeUnplaced();
      case 'instances': {
        const states = new Map(event.instances.map(({ workspace_id, state }) => [workspace_id, state]));
        return loops.onNode(event.node, (loop, id) => loop.reported(states.get(id) ?? null));
      }
      case 'services': {
        const row = await findWorkspace(store.db, event.workspaceId);
        if (row?.node === event.node) loops.of(row.id).servicesReported(event.services);
        return;
      }
      case 'routes_applied':
        return onApplied(event);
      case 'ssh_connected':
        return metrics.sshConnected(event.seconds);
      case 'git_rejected':
      case 'disconnected':
    }
  }

  return events.listen((event) => {
    if (event.type === 'instances') return takeReport(event.node, event);
    if (event.type === 'services') return takeReport(`${event.node} ${event.workspaceId}`, event);
    hear(event).catch(onError);
  });
}
