import type { Insertable } from 'kysely';
import { appendEvent } from './events.ts';
import type { Database, WorkspacePatch, WorkspaceRow } from './schema.ts';
import type { Db, Tx } from './store.ts';

export type NewWorkspace = Omit<Insertable<Database['workspaces']>, 'created_at' | 'updated_at' | 'wanted_at'>;

export async function insertWorkspace(tx: Tx, workspace: NewWorkspace): Promise<WorkspaceRow> {
  return tx
    .insertInto('workspaces')
    .values({ ...workspace, created_at: tx.at, updated_at: tx.at, wanted_at: tx.at })
    .returningAll()
    .executeTakeFirstOrThrow();
}

export function findWorkspace(db: Db, id: string): Promise<WorkspaceRow | undefined> {
  return db.selectFrom('workspaces').selectAll().where('id', '=', id).executeTakeFirst();
}

export function findWorkspaceByName(db: Db, ownerId: string, name: string): Promise<WorkspaceRow | undefined> {
  return db
    .selectFrom('workspaces')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .where('name', '=', name)
    .executeTakeFirst();
}

export type WorkspaceFilter = { ownerId?: string | undefined; status?: string | undefined };

/** What a list shows of each; the rest of a row can be long. */
const listedColumns = ['id', 'name', 'status', 'provider', 'ssh_port', 'created_at'] as const;
export type WorkspaceListItem = Pick<WorkspaceRow, (typeof listedColumns)[number]> & {
  owner: string;
  services_count: number;
};

/** Newest first, with the owner's name; `total` counts all that match. */
export async function listWorkspaces(
  db: Db,
  { ownerId, status, limit, offset }: WorkspaceFilter & { limit: number; offset: number },
): Promise<{ rows: WorkspaceListItem[]; total: number }> {
  let matching = db.selectFrom('workspaces');
  if (ownerId !== undefined) matching = matching.where('workspaces.owner_id', '=', ownerId);
  if (status !== undefined) matching = matching.where('workspaces.status', '=', status);
  const { total } = await matching
    .select((select) => select.fn.countAll<number | string>().as('total'))
    .executeTakeFirstOrThrow();
  const rows = await matching
    .innerJoin('users', 'users.id', 'workspaces.owner_id')
    .select(listedColumns.map((column) => `workspaces.${column}` as const))
    .select('users.github_username as owner')
    .select((select) =>
      select
        .selectFrom('services')
        .whereRef('services.workspace_id', '=', 'workspaces.id')
        .select((count) => count.fn.countAll<number | string>().as('count'))
        .as('services_count'),
    )
    .orderBy('workspaces.created_at', 'desc')
    .orderBy('workspaces.id')
    .limit(limit)
    .offset(offset)
    .execute();
  return { rows: rows.map((row) => ({ ...row, services_count: Number(row.services_count) })), total: Number(total) };
}

/** Every workspace, oldest first: what the reconciler looks at when it starts. */
export function allWorkspaces(db: Db): Promise<WorkspaceRow[]> {
  return db.selectFrom('workspaces').selectAll().orderBy('created_at').orderBy('id').execute();
}

export function workspacesOnNode(db: Db, node: string): Promise<WorkspaceRow[]> {
  return db.selectFrom('workspaces').selectAll().where('node', '=', node).orderBy('created_at').orderBy('id').execute();
}

export function workspacesOf(db: Db, ownerId: string): Promise<WorkspaceRow[]> {
  return db
    .selectFrom('workspaces')
    .selectAll()
    .where('owner_id', '=', ownerId)
    .orderBy('created_at')
    .orderBy('id')
    .execute();
}

export async function countWorkspaces(db: Db): Promise<number> {
  const count = db.selectFrom('workspaces').select((select) => select.fn.countAll<number | string>().as('count'));
  return Number((await count.executeTakeFirstOrThrow()).count);
}

export async function countWorkspacesOf(db: Db, ownerId: string): Promise<number> {
  const row = await db
    .selectFrom('workspaces')
    .select((select) => select.fn.countAll<number | string>().as('count'))
    .where('owner_id', '=', ownerId)
    .executeTakeFirstOrThrow();
  return Number(row.count);
}

/** `{ running: 3 }`: the statuses that occur. */
export async function countByStatus(db: Db): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('workspaces')
    .select((select) => ['status', select.fn.countAll<number | string>().as('count')])
    .groupBy('status')
    .execute();
  return Object.fromEntries(rows.map(({ status, count }) => [status, Number(count)]));
}

/** `{ 'node-1': 3 }`: the nodes that have any. */
export async function countByNode(db: Db): Promise<Record<string, number>> {
  const rows = await db
    .selectFrom('workspaces')
    .select((select) => ['node', select.fn.countAll<number | string>().as('count')])
    .where('node', 'is not', null)
    .groupBy('node')
    .execute();
  return Object.fromEntries(rows.map(({ node, count }) => [node ?? '', Number(count)]));
}

const statusOfWant = { running: 'creating', stopped: 'stopping', deleted: 'deleting' } as const;

/**
 * Asks for something: a new generation, whose failures are not those of the last. The status follows at once, so that
 * whoever asks next is answered by what was asked for last.
 */
export async function setWant(
  tx: Tx,
  id: string,
  want: WorkspaceRow['want'],
  { force }: { force: boolean },
): Promise<WorkspaceRow> {
  const status = statusOfWant[want];
  const row = await tx
    .updateTable('workspaces')
    .set((update) => ({
      want,
      status,
      step: null,
      force: force ? 1 : 0,
      generation: update('generation', '+', 1),
      error_json: null,
      wanted_at: tx.at,
      updated_at: tx.at,
    }))
    .where('id', '=', id)
    .returningAll()
    .executeTakeFirstOrThrow();
  await appendEvent(tx, { workspace_id: id, type: 'status', data: { status, step: null, error: null } });
  return row;
}

export async function updateWorkspace(tx: Tx, id: string, patch: WorkspacePatch): Promise<void> {
  await tx
    .updateTable('workspaces')
    .set({ ...patch, updated_at: tx.at })
    .where('id', '=', id)
    .execute();
}

/** With its services, ports and operations; its events stay until they are pruned. */
export async function deleteWorkspace(tx: Tx, id: string): Promise<void> {
  await tx.deleteFrom('workspaces').where('id', '=', id).execute();
}
