/** The journal of commands sent to agents. */
import type { AgentCommand } from '../../contract/control-protocol.ts';
import type { ErrorBody } from '../../contract/errors.ts';
import { newId } from '../../contract/ids.ts';
import type { OperationRow } from './schema.ts';
import type { Db, Tx } from './store.ts';

export type NewOperation = { workspaceId: string; node: string; command: AgentCommand; generation: number };

export async function insertOperation(
  tx: Tx,
  { workspaceId, node, command, generation }: NewOperation,
): Promise<OperationRow> {
  return tx
    .insertInto('operations')
    .values({
      id: newId('op'),
      workspace_id: workspaceId,
      node,
      command_json: JSON.stringify(command),
      generation,
      started_at: tx.at,
    })
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** Those whose answer was not yet taken into account, oldest first; of one workspace or of all. */
export function openOperations(db: Db, workspaceId?: string): Promise<OperationRow[]> {
  const open = db
    .selectFrom('operations')
    .selectAll()
    .where('ended_at', 'is', null)
    .orderBy('started_at')
    .orderBy('id');
  return (workspaceId === undefined ? open : open.where('workspace_id', '=', workspaceId)).execute();
}

export async function endOperation(tx: Tx, id: string, error: ErrorBody | null): Promise<void> {
  await tx
    .updateTable('operations')
    .set({ ended_at: tx.at, error_json: error === null ? null : JSON.stringify(error) })
    .where('id', '=', id)
    .execute();
}

/** Ended operations of before `before` (RFC 3339). */
export async function pruneOperations(tx: Tx, before: string): Promise<void> {
  await tx.deleteFrom('operations').where('ended_at', '<', before).execute();
}
