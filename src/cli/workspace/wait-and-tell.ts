import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import type { CliContext } from '../context.ts';
import { refreshSshConfig } from '../ssh/write-ssh-config.ts';
import { printResult } from '../terminal/print.ts';
import { showProgress, waitUntilSettled } from './wait-for-workspace.ts';
import { workspaceText } from './workspace-text.ts';

/** Waits until a workspace that was started runs, and prints how it is then. */
export async function waitAndTell(
  context: CliContext,
  client: Client,
  { workspace, json }: { readonly workspace: WorkspaceView; readonly json: boolean },
): Promise<void> {
  const progress = showProgress(context);
  const view = await waitUntilSettled(context, client, { workspace, progress }).finally(() =>
    progress[Symbol.dispose](),
  );
  await refreshSshConfig(context, client);
  printResult(context, view, {
    json,
    text: () => workspaceText(view, { output: context.stdout, nowMs: Date.now() }),
  });
}
