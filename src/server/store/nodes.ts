/** Agents' nodes and gateways, as they joined. */
import type { NodePatch, NodeRow } from './schema.ts';
import type { Db, Tx } from './store.ts';

export type NewNode = Pick<NodeRow, 'name' | 'role' | 'public_key' | 'version' | 'machine'>;

export async function insertNode(tx: Tx, node: NewNode): Promise<NodeRow> {
  return tx
    .insertInto('nodes')
    .values({ ...node, joined_at: tx.at })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function findNode(db: Db, name: string): Promise<NodeRow | undefined> {
  return db.selectFrom('nodes').selectAll().where('name', '=', name).executeTakeFirst();
}

export function listNodes(db: Db, role: NodeRow['role']): Promise<NodeRow[]> {
  return db.selectFrom('nodes').selectAll().where('role', '=', role).orderBy('name').execute();
}

export async function updateNode(tx: Tx, name: string, patch: NodePatch): Promise<void> {
  await tx.updateTable('nodes').set(patch).where('name', '=', name).execute();
}

export async function deleteNode(tx: Tx, name: string): Promise<void> {
  await tx.deleteFrom('nodes').where('name', '=', name).execute();
}
