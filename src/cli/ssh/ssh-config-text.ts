/** The text of `~/.nexus/ssh/config` and `known_hosts`. */
import type { WorkspaceView } from '../../contract/workspace.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { shellQuote } from '../terminal/format.ts';

export type SshConfigOptions = {
  readonly knownHostsFile: string;
  /** Null: OpenSSH's own choice of keys. */
  readonly keyPath: string | null;
  /** Folder of the sockets of shared connections; null when its path is too long for one. */
  readonly controlFolder: string | null;
  /** How `nexus` is run. */
  readonly programCommand: readonly string[];
  /** Host of the server's address, as this machine reaches it. */
  readonly serverHost: string;
};

export function hostAlias(workspaceName: string): string {
  return `nexus-${workspaceName}`;
}

/** One `Host` block for each workspace whose host key is known. */
export function sshConfigText(workspaces: readonly WorkspaceView[], options: SshConfigOptions): string {
  const blocks = reachable(workspaces).map((workspace) => {
    const lines = hostOptions(workspace, options).map(([key, value]) => `  ${key} ${value}`);
    return [`Host ${hostAlias(workspace.name)}`, ...lines].join('\n');
  });
  return `${['# Written by nexus ssh config, which writes it anew.', ...blocks].join('\n\n')}\n`;
}

/** Keyed by the workspace's id, which stays when ports and names are given to others. */
export function knownHostsText(workspaces: readonly WorkspaceView[]): string {
  return reachable(workspaces)
    .map((workspace) => `${workspace.workspace_id} ${workspace.ssh.host_key}\n`)
    .join('');
}

function reachable(workspaces: readonly WorkspaceView[]): WorkspaceView[] {
  return workspaces.filter((workspace) => workspace.ssh.host_key !== null && workspace.status !== 'deleting');
}

function hostOptions(workspace: WorkspaceView, options: SshConfigOptions): (readonly [string, string])[] {
  const { workspace_id, ssh } = workspace;
  const host = isLoopback(ssh.host) ? options.serverHost : ssh.host;
  return [
    ['HostName', host],
    ...(ssh.port === null ? [] : [['Port', String(ssh.port)] as const]),
    ...identityOptions(workspace, options),
    ['ServerAliveInterval', '15'],
    ['ServerAliveCountMax', '4'],
    ...sharedConnection(options.controlFolder),
    // A stopped workspace has no listening port; the server's HTTP port starts it and carries the connection.
    ...(ssh.port === null || workspace.status !== 'running'
      ? [['ProxyCommand', proxyCommand(options.programCommand, workspace_id)] as const]
      : []),
  ];
}

/** Further sessions go over the first one's connection, which stays for a while: they open in an instant. */
function sharedConnection(controlFolder: string | null): (readonly [string, string])[] {
  if (controlFolder === null) return [];
  return [
    ['ControlMaster', 'auto'],
    ['ControlPath', quote(`${literal(controlFolder)}/%C`)],
    ['ControlPersist', '10m'],
  ];
}

/** Who we are and who the workspace must be: the same for every way to reach it. */
export function identityOptions(
  workspace: WorkspaceView,
  options: Pick<SshConfigOptions, 'knownHostsFile' | 'keyPath'>,
): (readonly [string, string])[] {
  return [
    ['User', workspace.ssh.user],
    ['HostKeyAlias', workspace.workspace_id],
    ['UserKnownHostsFile', quote(literal(options.knownHostsFile))],
    ['GlobalKnownHostsFile', '/dev/null'],
    ['StrictHostKeyChecking', 'yes'],
    ...(options.keyPath === null
      ? []
      : [['IdentityFile', quote(literal(options.keyPath))] as const, ['IdentitiesOnly', 'yes'] as const]),
  ];
}

/** OpenSSH runs it with the user's shell, after its own `%` tokens. */
export function proxyCommand(programCommand: readonly string[], workspaceId: string): string {
  return [...programCommand, 'ssh', '--proxy', workspaceId].map(shellQuote).map(literal).join(' ');
}

/** Without OpenSSH's `%` tokens. */
function literal(text: string): string {
  return text.replaceAll('%', '%%');
}

/** A value as `ssh_config` takes it: in double quotes when it has blanks. */
function quote(value: string): string {
  return /\s/.test(value) ? `"${value}"` : value;
}
