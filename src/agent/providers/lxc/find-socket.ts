import { accessSync, constants } from 'node:fs';

/** Where engines listen: Incus, LXD as a snap, LXD from Debian's or Ubuntu's package. */
export const knownSockets = [
  '/var/lib/incus/unix.socket',
  '/var/snap/lxd/common/lxd/unix.socket',
  '/var/lib/lxd/unix.socket',
] as const;

/** The first socket that is there and may be used; null when there is none. */
export function findSocket(candidates: readonly string[] = knownSockets): string | null {
  return candidates.find(isUsable) ?? null;
}

/** Where to look for an engine that is not there yet, too. */
export function likelySocket(): string {
  return findSocket() ?? '/var/lib/lxd/unix.socket';
}

function isUsable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
