import type { ServiceVerdict } from '../../core/plan/plan-types.ts';
import type { Metrics } from '../metrics.ts';

/** Measures from the start of each service to its being healthy. Times in ms since the epoch. */
export type ServiceClock = {
  started(service: string, atMs: number): void;
  judged(verdicts: readonly ServiceVerdict[], atMs: number): void;
};

export function createServiceClock(metrics: Pick<Metrics, 'serviceStarted'>): ServiceClock {
  const starts = new Map<string, number>();
  return {
    started(service, atMs) {
      starts.set(service, atMs);
    },
    judged(verdicts, atMs) {
      for (const { name, status } of verdicts) {
        const start = starts.get(name);
        if (start === undefined || status !== 'running') continue;
        starts.delete(name);
        metrics.serviceStarted((atMs - start) / 1000);
      }
    },
  };
}
