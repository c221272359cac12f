import { NexusError } from '../../contract/errors.ts';
import { joinTokenHash, newJoinToken } from '../../contract/handshake.ts';
import { unreachableAfterMs } from '../../contract/control-protocol.ts';
import type { NodeView } from '../../contract/node.ts';
import { nearest } from '../../core/nearest.ts';
import { fingerprint } from '../../lib/identity.ts';
import { reservedNames } from '../control/admit-peer.ts';
import { insertJoinToken } from '../store/join-tokens.ts';
import { deleteNode, findNode, listNodes, updateNode } from '../store/nodes.ts';
import type { NodeRow } from '../store/schema.ts';
import type { Db } from '../store/store.ts';
import { countByNode, workspacesOnNode } from '../store/workspaces.ts';
import type { AppDeps } from './app-deps.ts';
import type { Handlers } from './handler.ts';

const joinTokenLifeMs = 3_600_000;

type NodeHandlers = Pick<
  Handlers,
  'listNodes' | 'getNode' | 'createJoinToken' | 'drainNode' | 'resumeNode' | 'removeNode'
>;
type Deps = Pick<AppDeps, 'store' | 'peers' | 'now' | 'serverPublicKey'>;

export function nodeHandlers({ store, peers, now, serverPublicKey }: Deps): NodeHandlers {
  async function view(name: string): Promise<NodeView> {
    const row = await requireNode(store.db, name);
    const counts = await countByNode(store.db);
    const view = nodeView(row, { workspaces: counts[name] ?? 0, peers, now });
    return { ...view, unknown_instances: await unknownInstances(store.db, { node: name, peers }) };
  }
  async function setDraining(name: string, draining: 0 | 1): Promise<NodeView> {
    await store.transaction(async (tx) => {
      await requireNode(tx, name);
      await updateNode(tx, name, { draining });
    });
    return view(name);
  }

  return {
    async listNodes() {
      const rows = await listNodes(store.db, 'agent');
      return { nodes: await Promise.all(rows.map((row) => view(row.name))) };
    },
    getNode: ({ params }) => view(params.name),
    drainNode: ({ params }) => setDraining(params.name, 1),
    resumeNode: ({ params }) => setDraining(params.name, 0),
    async createJoinToken({ body }) {
      const { name } = body;
      if (reservedNames.includes(name))
        throw new NexusError('invalid_request', {
          fields: [{ path: 'name', problem: `${name} is a name of the server's own` }],
        });
      const join_token = newJoinToken(serverPublicKey);
      const expires_at = new Date(now().getTime() + joinTokenLifeMs).toISOString();
      await store.transaction((tx) =>
        insertJoinToken(tx, { token_hash: joinTokenHash(join_token), role: 'agent', name, expires_at }),
      );
      return { name, join_token, expires_at };
    },
    async removeNode({ params }) {
      const { name } = params;
      await store.transaction(async (tx) => {
        await requireNode(tx, name);
        const workspaces = (await countByNode(tx))[name] ?? 0;
        if (workspaces > 0) throw new NexusError('node_in_use', { node: name, workspaces });
        await deleteNode(tx, name);
      });
      peers.disconnect(name);
    },
  };
}

type NodeState = Omit<NodeView, 'unknown_instances'>;

/** Every agent's node. */
export async function nodeViews({ store, peers, now }: Pick<AppDeps, 'store' | 'peers' | 'now'>): Promise<NodeState[]> {
  const counts = await countByNode(store.db);
  const rows = await listNodes(store.db, 'agent');
  return rows.map((row) => nodeView(row, { workspaces: counts[row.name] ?? 0, peers, now }));
}

/** What an installation whose database was put back to an earlier day has, say. Nothing of it is removed by itself. */
async function unknownInstances(
  db: Db,
  { node, peers }: { node: string; peers: Pick<AppDeps['peers'], 'instancesOn'> },
): Promise<string[]> {
  const there = peers.instancesOn(node);
  if (there.length === 0) return [];
  const known = new Set((await workspacesOnNode(db, node)).map(({ id }) => id));
  return there.filter((id) => !known.has(id)).toSorted();
}

async function requireNode(db: Db, name: string): Promise<NodeRow> {
  const row = await findNode(db, name);
  if (row?.role === 'agent') return row;
  const others = (await listNodes(db, 'agent')).map((node) => node.name);
  throw new NexusError('not_found', { kind: 'node', name, nearest: nearest(name, others) });
}

type Context = { workspaces: number } & Pick<AppDeps, 'peers' | 'now'>;

function nodeView(row: NodeRow, { workspaces, peers, now }: Context): NodeState {
  return {
    name: row.name,
    status: statusOf(row, { peers, now }),
    last_heartbeat: row.last_heartbeat,
    workspaces,
    version: row.version,
    providers: JSON.parse(row.providers_json) as NodeView['providers'],
    fingerprint: fingerprint(row.public_key),
  };
}

function statusOf(row: NodeRow, { peers, now }: Omit<Context, 'workspaces'>): NodeView['status'] {
  // Of one that was heard of, the silence is measured; of the others the time in the database is all there is.
  const silentMs = row.last_heartbeat === null ? Infinity : now().getTime() - Date.parse(row.last_heartbeat);
  const isSilent = !peers.hasHeardOf(row.name) && silentMs > unreachableAfterMs;
  if (!peers.nodeConnected(row.name) || isSilent) return 'unreachable';
  return row.draining === 1 ? 'draining' : 'ready';
}
