import type { AppDeps } from './app-deps.ts';
import { findOwnWorkspace, nodeOf } from './find-workspace.ts';
import type { Handler } from './handler.ts';
import { runExec } from './run-exec.ts';
import { refuse } from './workspace-lifecycle.ts';

const defaultTimeoutSeconds = 3_600;
const outputLimitBytes = 10 * 2 ** 20;

export function execHandler({ store, openStream }: Pick<AppDeps, 'store' | 'openStream'>): Handler<'exec'> {
  return async ({ params, body, caller, signal }) => {
    const workspace = await findOwnWorkspace(store.db, caller, params.id);
    refuse(workspace, 'exec');
    const { command, cwd, stdin = '', timeout_seconds: seconds = defaultTimeoutSeconds } = body;
    const request = { kind: 'exec', workspace_id: params.id, command, ...(cwd === undefined ? {} : { cwd }) } as const;
    const stream = await openStream(nodeOf(workspace), request, { signal });
    return runExec(stream, { stdin, timeoutMs: seconds * 1000, outputLimitBytes, signal });
  };
}
