/** Writes what was concluded of a workspace, and an event for each thing that changed by it; nothing when nothing did. */
import { isDeepStrictEqual } from 'node:util';
import type { ErrorBody } from '../../contract/errors.ts';
import type { WorkspaceStatus } from '../../contract/workspace.ts';
import type { ServiceVerdict } from '../../core/plan/plan-types.ts';
import { serviceView } from '../service-view.ts';
import { appendEvent } from '../store/events.ts';
import type { ServicePatch, ServiceRow, WorkspaceRow } from '../store/schema.ts';
import { listServices, updateService } from '../store/services.ts';
import type { Tx } from '../store/store.ts';
import { findWorkspace, updateWorkspace } from '../store/workspaces.ts';

export type Conclusion = {
  /** The generation that it was concluded for: it says nothing about a newer one. */
  readonly generation: number;
  readonly status: WorkspaceStatus;
  readonly step: string | null;
  readonly error: ErrorBody | null;
  readonly warnings: readonly string[];
  readonly services: readonly ServiceVerdict[];
};

/** Returns whether the generation is still the one that it was concluded for; else nothing is written. */
export async function writeConclusion(
  tx: Tx,
  id: string,
  conclusion: Conclusion,
  options: { readonly publicHost: string },
): Promise<boolean> {
  const row = await findWorkspace(tx, id);
  if (row?.generation !== conclusion.generation) return false;
  await writeServices(tx, id, conclusion.services, options);
  await writeWorkspace(tx, row, conclusion);
  return true;
}

async function writeWorkspace(tx: Tx, row: WorkspaceRow, conclusion: Conclusion): Promise<void> {
  const { status, step, error } = conclusion;
  const error_json = error && JSON.stringify(error);
  const warnings_json = JSON.stringify(conclusion.warnings);
  // Whoever watches reads the workspace anew at such an event, with its warnings.
  const isStatusNew = row.status !== status || row.error_json !== error_json || row.warnings_json !== warnings_json;
  if (!isStatusNew && row.step === step) return;
  const stopped_at = status === 'stopped' && row.status !== 'stopped' ? tx.at : row.stopped_at;
  await updateWorkspace(tx, row.id, { status, step, error_json, warnings_json, stopped_at });
  if (isStatusNew) await appendEvent(tx, { workspace_id: row.id, type: 'status', data: { status, step, error } });
  else if (row.step !== step) await appendEvent(tx, { workspace_id: row.id, type: 'step', data: { status, step } });
}

async function writeServices(
  tx: Tx,
  id: string,
  verdicts: readonly ServiceVerdict[],
  { publicHost }: { readonly publicHost: string },
): Promise<void> {
  for (const row of await listServices(tx, id)) {
    const verdict = verdicts.find(({ name }) => name === row.name);
    if (!verdict) continue;
    const patch = {
      status: verdict.status,
      health: verdict.health,
      last_check: verdict.lastCheck,
      error_json: verdict.error && JSON.stringify(verdict.error),
    } satisfies ServicePatch;
    if (!isChanged(row, patch)) continue;
    await updateService(tx, id, row.name, patch);
    // A probe that found the same again is worth a row's time, not everybody's attention.
    if (!isChanged({ ...row, last_check: patch.last_check }, patch)) continue;
    const service = serviceView({ ...row, ...patch }, { publicHost });
    await appendEvent(tx, { workspace_id: id, type: 'service', data: { service } });
  }
}

function isChanged(row: ServiceRow, patch: ServicePatch): boolean {
  return !isDeepStrictEqual({ ...row, ...patch }, row);
}
