/** What the server knows of a process that it did not start itself: its connection, and whether it is alive. */
import { setTimeout as sleep } from 'node:timers/promises';
import { aborted } from '../../lib/aborted.ts';
import { isProcessAlive } from '../../lib/process-alive.ts';
import type { Hub } from '../control/hub.ts';

type ChildProcess = { readonly name: string; readonly pid: number };
type KnownPeers = Pick<Hub, 'events' | 'versionOf'>;

const lookEveryMs = 250;

/** The version by which it connected, or null when the signal came before, or it has ended. */
export function connectedVersion(
  hub: KnownPeers,
  { name, pid }: ChildProcess,
  signal: AbortSignal,
): Promise<string | null> {
  return new Promise((resolve) => {
    const finish = (version: string | null): void => {
      unlisten();
      clearInterval(looking);
      resolve(version);
    };
    const looking = setInterval(() => void (isProcessAlive(pid) || finish(null)), lookEveryMs);
    const unlisten = hub.events.listen((event) => {
      if (event.type === 'connected' && event.name === name) finish(event.version);
    });
    void aborted(signal).then(() => finish(null));
    const version = hub.versionOf(name);
    if (version !== null) finish(version);
  });
}

/** Another server's child cannot be waited for: what is noticed is that its connection is lost. */
export function goneBehindOurBack(hub: KnownPeers, { name, pid }: ChildProcess, stopping: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const unlisten = hub.events.listen((event) => {
      if (event.type !== 'disconnected' || event.name !== name) return;
      void (async () => {
        while (hub.versionOf(name) === null && isProcessAlive(pid) && !stopping.aborted) await sleep(lookEveryMs);
        if (isProcessAlive(pid)) return;
        unlisten();
        resolve();
      })();
    });
  });
}
