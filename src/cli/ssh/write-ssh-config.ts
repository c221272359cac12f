import { chmod, mkdir, realpath, stat } from 'node:fs/promises';
import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { CliContext } from '../context.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import type { NexusPaths } from '../files/nexus-paths.ts';
import { readOptionalFile } from '../files/read-optional-file.ts';
import { readUserConfig } from '../files/user-config-file.ts';
import { listOwnWorkspaces } from '../workspace/resolve-workspace.ts';
import { hasInclude, withInclude } from './include-line.ts';
import { knownHostsText, sshConfigText } from './ssh-config-text.ts';
import { identityPath } from './ssh-keys.ts';

/** sockaddr_un of macOS, the smaller one, less the name `%C` (40) and what ssh adds while it binds (17), and two ends. */
const longestControlFolder = 104 - 40 - 17 - 2;

/** Written for all workspaces of the server; returns those that can be reached by it. */
export async function writeSshConfig(context: CliContext, client: Client): Promise<readonly WorkspaceView[]> {
  const paths = nexusPaths(context.env);
  const [views, keyPath] = await Promise.all([allViews(client), sshKeyPath(context)]);
  await mkdir(paths.sshFolder, { recursive: true, mode: 0o700 });
  await Promise.all([chmod(paths.home, 0o700), chmod(paths.sshFolder, 0o700)]);
  const text = sshConfigText(views, {
    knownHostsFile: paths.knownHostsFile,
    keyPath,
    controlFolder: paths.sshFolder.length > longestControlFolder ? null : paths.sshFolder,
    programCommand: context.programCommand,
    serverHost: new URL(client.baseUrl).hostname,
  });
  await writeFileAtomic(paths.knownHostsFile, knownHostsText(views), { mode: 0o600 });
  await writeFileAtomic(paths.sshConfigFile, text, { mode: 0o600 });
  return views.filter((view) => view.ssh.host_key !== null);
}

async function allViews(client: Client): Promise<WorkspaceView[]> {
  const workspaces = await listOwnWorkspaces(client);
  return Promise.all(
    workspaces.map(({ workspace_id }) => client.call('getWorkspace', { params: { id: workspace_id } })),
  );
}

/** The key that is registered from here, for `IdentityFile`; null leaves the choice to OpenSSH. */
export async function sshKeyPath(context: CliContext): Promise<string | null> {
  const config = await readUserConfig(nexusPaths(context.env).configFile, {
    stderr: context.stderr,
    nowMs: Date.now(),
  });
  return identityPath(context.env, config.ssh?.key_path);
}

/** Adds the `Include` line to the person's own configuration. Returns whether it had to be added. */
export async function includeInUserConfig(paths: NexusPaths): Promise<boolean> {
  const text = (await readOptionalFile(paths.userSshConfigFile)) ?? '';
  if (hasInclude(text, paths.sshConfigFile)) return false;
  await mkdir(paths.userSshFolder, { recursive: true, mode: 0o700 });
  // A link into a folder of dotfiles stays one.
  const file = await realpath(paths.userSshConfigFile).catch(() => paths.userSshConfigFile);
  const mode = await stat(file).then(
    (found) => found.mode & 0o777,
    () => 0o600,
  );
  await writeFileAtomic(file, withInclude(text, paths.sshConfigFile), { mode });
  return true;
}

/** After workspaces came, went or moved: writes the configuration anew for those who use it. */
export async function refreshSshConfig(context: CliContext, client: Client): Promise<void> {
  const paths = nexusPaths(context.env);
  try {
    const text = await readOptionalFile(paths.userSshConfigFile);
    if (text === null || !hasInclude(text, paths.sshConfigFile)) return;
    await writeSshConfig(context, client);
  } catch (error) {
    context.stderr.write(`! ${paths.sshConfigFile} could not be brought up to date: ${(error as Error).message}\n`);
  }
}
