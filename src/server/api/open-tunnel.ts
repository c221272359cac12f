/** A connection to a port of a workspace, which is started first when it is stopped. */
import type { Duplex } from 'node:stream';
import type { WorkspaceStatus } from '../../contract/workspace.ts';
import { verdicts } from '../../core/lifecycle.ts';
import type { WorkspaceRow } from '../store/schema.ts';
import { setWant } from '../store/workspaces.ts';
import type { AppDeps } from './app-deps.ts';
import { findOwnWorkspace, nodeOf } from './find-workspace.ts';
import type { Caller } from './handler.ts';
import { refuse } from './workspace-lifecycle.ts';

const wakeTimeoutMs = 180_000;

type Deps = Pick<AppDeps, 'store' | 'reconciler' | 'openStream'>;
type Asked = { id: string; port: number; caller: Caller; signal: AbortSignal };

/** @throws what stopped the workspace from starting, node_unreachable, stream_failed */
export async function openTunnel(deps: Deps, { id, port, caller, signal }: Asked): Promise<Duplex> {
  const { store, reconciler, openStream } = deps;
  const open = async (row: WorkspaceRow): Promise<Duplex> =>
    openStream(nodeOf(row), { kind: 'tcp', workspace_id: id, port }, { signal });
  const row = await wake(deps, caller, id);
  if (row.status === 'running') return open(row);
  // While hooks and services are under way, and after they failed, the SSH server may be there already.
  const early = row.host_key === null ? null : await open(row).catch(() => null);
  if (early) return early;
  const failure = await reconciler.settled(id, { timeoutMs: wakeTimeoutMs, signal }).then(
    () => null,
    (error: Error) => error,
  );
  return open(await findOwnWorkspace(store.db, caller, id)).catch((error: Error) => {
    throw failure ?? error;
  });
}

async function wake({ store, reconciler }: Deps, caller: Caller, id: string): Promise<WorkspaceRow> {
  const row = await store.transaction(async (tx) => {
    const workspace = await findOwnWorkspace(tx, caller, id);
    refuse(workspace, 'connect');
    const asleep = verdicts[workspace.status as WorkspaceStatus].connect === 'after_start';
    return asleep ? setWant(tx, id, 'running', { force: false }) : workspace;
  });
  reconciler.nudge(id);
  return row;
}
