/** The event log that server-sent events are read from. */
import type { WorkspaceEvent } from '../../contract/workspace.ts';
import type { Db, Tx } from './store.ts';

export type NewEvent = Pick<WorkspaceEvent, 'workspace_id' | 'type' | 'data'>;

/** Listeners of the store hear of it after the commit. */
export async function appendEvent(tx: Tx, { workspace_id, type, data }: NewEvent): Promise<WorkspaceEvent> {
  const { id } = await tx
    .insertInto('events')
    .values({ workspace_id, type, at: tx.at, data_json: JSON.stringify(data) })
    .returning('id')
    .executeTakeFirstOrThrow();
  const event = { id, workspace_id, type, at: tx.at, data };
  tx.announce(event);
  return event;
}

export async function appendProgress(tx: Tx, workspaceId: string, lines: readonly string[]): Promise<void> {
  for (const line of lines) await appendEvent(tx, { workspace_id: workspaceId, type: 'progress', data: { line } });
}

/** Events of a workspace with an id above `after`, oldest first. */
export async function eventsAfter(
  db: Db,
  { workspaceId, after, limit }: { workspaceId: string; after: number; limit: number },
): Promise<WorkspaceEvent[]> {
  const rows = await db
    .selectFrom('events')
    .selectAll()
    .where('workspace_id', '=', workspaceId)
    .where('id', '>', after)
    .orderBy('id')
    .limit(limit)
    .execute();
  return rows.map(({ data_json, ...row }) => ({ ...row, data: JSON.parse(data_json) }) as WorkspaceEvent);
}

/** The id of the workspace's newest event; 0 when it has none. */
export async function lastEventId(db: Db, workspaceId: string): Promise<number> {
  const row = await db
    .selectFrom('events')
    .select((select) => select.fn.max('id').as('id'))
    .where('workspace_id', '=', workspaceId)
    .executeTakeFirst();
  return row?.id ?? 0;
}

/** Events of before `before` (RFC 3339). */
export async function pruneEvents(tx: Tx, before: string): Promise<void> {
  await tx.deleteFrom('events').where('at', '<', before).execute();
}
