/** Start, stop and delete: each changes what is wanted; stop and delete wait until it is so. */
import type { WorkspaceStatus } from '../../contract/workspace.ts';
import { refusal } from '../../core/lifecycle.ts';
import type { WorkspaceRequest } from '../../core/lifecycle.ts';
import type { WorkspaceRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { findWorkspace, setWant } from '../store/workspaces.ts';
import type { AppDeps } from './app-deps.ts';
import { findOwnWorkspace } from './find-workspace.ts';
import type { Caller, Handlers } from './handler.ts';
import { startedView } from './workspace-view.ts';

const estimatedSeconds = 5;
/** Services get 10 s to end, hooks their time, the instance its own; a stop that takes longer goes on by itself. */
const settleTimeoutMs = 180_000;

type LifecycleHandlers = Pick<Handlers, 'startWorkspace' | 'stopWorkspace' | 'setWorkspaceStatus' | 'deleteWorkspace'>;
type Deps = Pick<AppDeps, 'store' | 'reconciler'>;
type Asked = { id: string; caller: Caller; force: boolean };
const wantOf = { start: 'running', stop: 'stopped', delete: 'deleted' } as const;

export function lifecycleHandlers({ store, reconciler }: Deps): LifecycleHandlers {
  async function ask(request: keyof typeof wantOf, { id, caller, force }: Asked): Promise<WorkspaceRow> {
    const row = await store.transaction(async (tx) => {
      const workspace = await findOwnWorkspace(tx, caller, id);
      refuse(workspace, request, { force });
      return setWant(tx, id, wantOf[request], { force });
    });
    reconciler.nudge(id);
    return row;
  }
  async function start(id: string, caller: Caller): Promise<ReturnType<typeof startedView>> {
    return startedView(await ask('start', { id, caller, force: false }), estimatedSeconds);
  }
  async function stop(asked: Asked, signal: AbortSignal): Promise<StoppedView> {
    const { id, wanted_at } = await ask('stop', asked);
    await reconciler.settled(id, { timeoutMs: settleTimeoutMs, signal, want: 'stopped' });
    return stoppedView(store, id, wanted_at);
  }

  return {
    startWorkspace: ({ params, caller }) => start(params.id, caller),
    stopWorkspace: ({ params, query, body, caller, signal }) =>
      stop({ id: params.id, caller, force: body?.force ?? query.force ?? false }, signal),
    async setWorkspaceStatus({ params, body, caller, signal, reply }) {
      if (body.status === 'running') return start(params.id, caller);
      reply.code(200);
      return stop({ id: params.id, caller, force: false }, signal);
    },
    async deleteWorkspace({ params, query, body, caller, signal }) {
      const force = body?.force ?? query.force ?? false;
      await ask('delete', { id: params.id, caller, force });
      await reconciler.settled(params.id, { timeoutMs: settleTimeoutMs, signal });
    },
  };
}

/** @throws what the table of states says to the request */
export function refuse(
  row: WorkspaceRow,
  request: WorkspaceRequest,
  { force }: { force: boolean } = { force: false },
): void {
  const error = refusal(row.status as WorkspaceStatus, request, { name: row.name, force });
  if (error) throw error;
}

type StoppedView = { workspace_id: string; status: WorkspaceStatus; stopped_at: string };

/** What it is by now: somebody may have started it again. */
async function stoppedView(store: Store, id: string, wantedAt: string): Promise<StoppedView> {
  const row = await findWorkspace(store.db, id);
  return {
    workspace_id: id,
    status: (row?.status ?? 'deleting') as WorkspaceStatus,
    stopped_at: row?.stopped_at ?? row?.updated_at ?? wantedAt,
  };
}
