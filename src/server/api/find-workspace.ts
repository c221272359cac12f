import { NexusError } from '../../contract/errors.ts';
import type { WorkspaceRow } from '../store/schema.ts';
import type { Db } from '../store/store.ts';
import { findWorkspace } from '../store/workspaces.ts';
import type { Caller } from './handler.ts';

/** @throws not_found also when it is somebody else's: its existence is not told */
export async function findOwnWorkspace(db: Db, caller: Caller, id: string): Promise<WorkspaceRow> {
  const row = await findWorkspace(db, id);
  if (row && (caller.admin || row.owner_id === caller.user?.id)) return row;
  throw new NexusError('not_found', { kind: 'workspace', name: id });
}

/** The node that has the workspace. @throws workspace_not_running when none has it yet */
export function nodeOf(row: WorkspaceRow): string {
  if (row.node !== null) return row.node;
  throw new NexusError('workspace_not_running', { name: row.name, status: row.status });
}
