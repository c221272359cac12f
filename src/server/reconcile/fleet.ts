import type { ProviderHealth } from '../../contract/node.ts';
import type { Candidate } from '../../core/placement.ts';
import type { Hub } from '../control/hub.ts';
import { listNodes } from '../store/nodes.ts';
import type { Db } from '../store/store.ts';
import { countByNode } from '../store/workspaces.ts';

/** The nodes as they stand for the placement of a workspace. */
export async function candidates(db: Db, hub: Pick<Hub, 'isReachable'>): Promise<Candidate[]> {
  const workspaces = await countByNode(db);
  const nodes = await listNodes(db, 'agent');
  return nodes.map((node) => ({
    name: node.name,
    connected: hub.isReachable(node.name),
    draining: node.draining === 1,
    providers: JSON.parse(node.providers_json) as ProviderHealth[],
    workspaces: workspaces[node.name] ?? 0,
  }));
}
