import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Environment } from '../context.ts';

/** Where a person's own files are. */
export type NexusPaths = {
  readonly home: string;
  readonly configFile: string;
  readonly sshFolder: string;
  readonly sshConfigFile: string;
  readonly knownHostsFile: string;
  /** The person's own OpenSSH folder and configuration, which gets one `Include` line. */
  readonly userSshFolder: string;
  readonly userSshConfigFile: string;
};

export function nexusPaths(env: Environment): NexusPaths {
  const userHome = env['HOME'] || homedir();
  const home = env['NEXUS_HOME'] || join(userHome, '.nexus');
  const sshFolder = join(home, 'ssh');
  const userSshFolder = join(userHome, '.ssh');
  return {
    home,
    configFile: join(home, 'config.yaml'),
    sshFolder,
    sshConfigFile: join(sshFolder, 'config'),
    knownHostsFile: join(sshFolder, 'known_hosts'),
    userSshFolder,
    userSshConfigFile: join(userSshFolder, 'config'),
  };
}

/** `~` and `~/…` as a shell takes them. */
export function expandHome(path: string, env: Environment): string {
  const userHome = env['HOME'] || homedir();
  return path === '~' || path.startsWith('~/') ? join(userHome, path.slice(1)) : path;
}
