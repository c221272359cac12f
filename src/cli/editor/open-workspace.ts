/** Opening an editor on a workspace: it is started when it is stopped, SSH is tried first, and the launch blocks nobody. */
import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { failure } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { readUserConfig } from '../files/user-config-file.ts';
import { explainRefusedKey, isOfSecurityToken } from '../ssh/refused-key.ts';
import { runInOurPlace } from '../ssh/run-program.ts';
import { hostAlias } from '../ssh/ssh-config-text.ts';
import { tryConnection } from '../ssh/try-connection.ts';
import { includeInUserConfig, writeSshConfig } from '../ssh/write-ssh-config.ts';
import { showProgress, waitUntilSettled } from '../workspace/wait-for-workspace.ts';
import type { EditorWish, FoundEditor } from './find-editors.ts';
import { launchDetached } from './launch-editor.ts';

/** The editor that the option, the environment or the person's file asks for; null leaves it to what there is. */
export async function editorWish(context: CliContext, option: string | undefined): Promise<EditorWish | null> {
  if (option !== undefined) return { name: option, from: '--editor' };
  const inEnvironment = context.env['NEXUS_EDITOR'];
  if (inEnvironment) return { name: inEnvironment, from: 'NEXUS_EDITOR' };
  const config = await readUserConfig(nexusPaths(context.env).configFile, {
    stderr: context.stderr,
    nowMs: Date.now(),
  });
  const preferred = config.editor?.preferred;
  return preferred === undefined ? null : { name: preferred, from: 'editor.preferred' };
}

/** The workspace once it runs; a stopped one is started. @throws the workspace's error */
export async function untilRunning(
  context: CliContext,
  client: Client,
  workspace: WorkspaceView,
): Promise<WorkspaceView> {
  if (workspace.status === 'running') return workspace;
  if (workspace.status !== 'pending' && workspace.status !== 'creating')
    await client.call('startWorkspace', { params: { id: workspace.workspace_id } });
  const progress = showProgress(context);
  return waitUntilSettled(context, client, { workspace, progress }).finally(() => progress[Symbol.dispose]());
}

/** Writes the SSH configuration and tries it as the editor will. @throws CliError with what ssh said */
export async function prepareSsh(context: CliContext, client: Client, workspace: WorkspaceView): Promise<void> {
  const { registered } = await client.call('whoAmI');
  if (!registered) throw failure('No SSH key of yours is registered.', { next: 'nexus ssh setup' });
  const paths = nexusPaths(context.env);
  await writeSshConfig(context, client);
  await includeInUserConfig(paths);
  const alias = hostAlias(workspace.name);
  const asks = context.stdin.isTTY === true;
  if (asks && (await isOfSecurityToken(context))) context.stderr.write('Your security token may want to be touched.\n');
  const { exitCode, stderr } = await tryConnection(paths.userSshConfigFile, alias, { asks });
  if (exitCode === 0) return;
  const said = stderr.trim() || `it ended with ${exitCode}`;
  const { why, next } = (await explainRefusedKey(context, said)) ?? { why: said, next: 'nexus doctor' };
  throw failure(`ssh ${alias} does not get in: ${why}`, { next });
}

/** @returns the exit code of an editor in this terminal; 0 for one with a window */
export async function openEditor(
  context: CliContext,
  { editor, path }: FoundEditor,
  workspace: WorkspaceView,
): Promise<number> {
  const args = editor.args(workspace);
  if (editor.place === 'terminal')
    return runInOurPlace('ssh', ['-F', nexusPaths(context.env).userSshConfigFile, ...args]);
  await launchDetached(path, args, context);
  return 0;
}
