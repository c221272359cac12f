import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where engines listen: Incus, LXD as a snap, LXD from Debian's or Ubuntu's package. */
export const knownSockets = [
  '/var/lib/incus/unix.socket',
  '/var/snap/lxd/common/lxd/unix.socket',
  '/var/lib/lxd/unix.socket',
] as const;

/** Where the environment says that the engine listens, by the variables of the `lxc` and `incus` commands. */
function toldSocket(env: Environment): string | null {
  const told = env['INCUS_SOCKET'] || env['LXD_SOCKET'];
  if (told) return told;
  const folder = env['INCUS_DIR'] || env['LXD_DIR'];
  return folder ? join(folder, 'unix.socket') : null;
}

/** The one that the environment names, else the first that is there and may be used; null when there is none. */
export function findSocket(
  candidates: readonly string[] = knownSockets,
  env: Environment = process.env,
): string | null {
  const told = toldSocket(env);
  return (told === null ? candidates : [told]).find(isUsable) ?? null;
}

/** Where to look for an engine that is not there yet, too. */
export function likelySocket(env: Environment = process.env): string {
  return findSocket(knownSockets, env) ?? toldSocket(env) ?? '/var/lib/lxd/unix.socket';
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
