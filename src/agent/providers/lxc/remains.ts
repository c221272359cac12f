import { withHostLock } from '../../../lib/host-lock.ts';
import { instancesOf } from './addresses.ts';
import { baseLock } from './base-spec.ts';
import { removeDeadSockets } from './dial.ts';
import type { EngineClient } from './engine-client.ts';
import { layout } from './layout.ts';
import { removeInstance } from './lifecycle.ts';

/**
 * Removes what an agent that was killed left on the node: bases that it was making (whoever needs one begins anew, but
 * perhaps nobody does), and sockets of relays. What another process still makes is let be.
 */
export async function removeRemains(engine: EngineClient, { signal }: { signal: AbortSignal }): Promise<void> {
  await removeDeadSockets();
  const unfinished = (await instancesOf(engine)).filter(({ name }) => name.startsWith(layout.unfinishedPrefix));
  await Promise.all(
    unfinished.map(({ name }) =>
      withHostLock(baseLock(baseIdIn(name)), () => removeInstance(engine, name), { signal }),
    ),
  );
}

function baseIdIn(name: string): string {
  const prefix = name.startsWith(layout.replacedPrefix) ? layout.replacedPrefix : layout.unfinishedPrefix;
  return name.slice(prefix.length);
}
