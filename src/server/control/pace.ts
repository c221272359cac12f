import { setTimeout as sleep } from 'node:timers/promises';

/** Each admission is written to the disk, and all of the node is looked at anew: a peer may not cause it all the time. */
const everyMs = 250;

/** Lets each name through at most once in a while; who comes too soon waits for its turn. */
export function createPace(
  nowMs: () => number = () => performance.now(),
  wait: (ms: number) => Promise<void> = (ms) => sleep(ms),
): (name: string) => Promise<void> {
  const turns = new Map<string, number>();
  return async (name) => {
    const now = nowMs();
    const turn = Math.max(now, turns.get(name) ?? 0);
    turns.set(name, turn + everyMs);
    if (turn > now) await wait(turn - now);
  };
}
