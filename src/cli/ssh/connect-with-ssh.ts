import { mkdir } from 'node:fs/promises';
import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { CliContext } from '../context.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { errorOf, showProgress } from '../workspace/wait-for-workspace.ts';
import { watchWorkspace } from '../workspace/watch-workspace.ts';
import { join } from 'node:path';
import { runInOurPlace } from './run-program.ts';
import { hostAlias, identityOptions, knownHostsText, proxyCommand } from './ssh-config-text.ts';
import { sshKeyPath } from './write-ssh-config.ts';

/** Runs OpenSSH with everything it needs to know said on its command line; whatever it is configured to do else, it does. */
export async function connectWithSsh(
  context: CliContext,
  client: Client,
  options: { workspace: WorkspaceView; command: readonly string[] },
): Promise<number> {
  const workspace = await untilHostKeyIsKnown(context, client, options.workspace);
  const folder = nexusPaths(context.env).sshFolder;
  // A file of its own, so that connections that are opened at once do not write over each other's.
  const knownHostsFile = join(folder, 'hosts', workspace.workspace_id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await writeFileAtomic(knownHostsFile, knownHostsText([workspace]), { mode: 0o600 });
  const settings = [
    ...identityOptions(workspace, { knownHostsFile, keyPath: await sshKeyPath(context) }),
    ['ProxyCommand', proxyCommand(context.programCommand, workspace.workspace_id)],
    ['ServerAliveInterval', '15'],
    ['ControlPath', 'none'],
  ] as const;
  const args = settings.flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  return runInOurPlace('ssh', [
    ...args,
    hostAlias(workspace.name),
    ...(options.command.length === 0 ? [] : ['--', ...options.command]),
  ]);
}

/** The host key is made at the first start, before anything is cloned. */
async function untilHostKeyIsKnown(
  context: CliContext,
  client: Client,
  workspace: WorkspaceView,
): Promise<WorkspaceView> {
  if (workspace.ssh.host_key !== null) return workspace;
  using progress = showProgress(context);
  const view = await watchWorkspace(client, workspace.workspace_id, {
    isDone: (seen) => seen.ssh.host_key !== null || seen.status === 'error',
    onEvent: (event) => {
      progress.steps.applyEvent(event);
      progress.update();
    },
    signal: context.interrupt,
  });
  if (view.ssh.host_key === null) throw errorOf(view);
  return view;
}
