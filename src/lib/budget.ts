import { setTimeout as sleep } from 'node:timers/promises';

export type Budget = {
  /** Waits until so much may be spent again. */
  spend(cost: number): Promise<void>;
};

/** Spends up to `most` at once, and `perSecond` in the long run. */
export function createBudget(options: {
  readonly most: number;
  readonly perSecond: number;
  readonly nowMs?: () => number;
  readonly wait?: (ms: number) => Promise<void>;
}): Budget {
  const { most, perSecond, nowMs = () => performance.now(), wait = (ms) => sleep(ms) } = options;
  let left = most;
  let at = nowMs();
  return {
    async spend(cost) {
      const now = nowMs();
      left = Math.min(most, left + ((now - at) / 1000) * perSecond) - cost;
      at = now;
      if (left < 0) await wait((-left / perSecond) * 1000);
    },
  };
}
