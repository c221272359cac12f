import { posix } from 'node:path';

/** Where things are inside a workspace; `guest-lib.sh` knows the same. */
export const paths = {
  repository: '/home/dev/workspace',
  /** For as long as the instance lives. */
  marks: '/var/lib/nexus',
  /** Until it stops. */
  boot: '/run/nexus',
  units: '/run/systemd/system',
  bundle: '/var/lib/nexus/source.bundle',
  environment: '/etc/nexus/env',
  gitConfig: '/etc/nexus/gitconfig',
  /** A folder of the node: where the agent's socket is. */
  agent: '/var/lib/nexus/agent',
} as const;

/** A folder of the repository, or one of its own when the path is absolute. */
export function folderInRepository(folder: string | undefined): string {
  return posix.resolve(paths.repository, folder ?? '.');
}
