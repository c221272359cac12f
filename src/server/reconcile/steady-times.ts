/**
 * When things happened, on a clock that nobody puts forward or back. The wall clock, which the database has its times
 * from, may jump; waits and limits that were counted by it would then end at once or never. A time that was written
 * down is taken over by its age when it is met first, and is as old as the monotonic clock says from then on.
 */
import type { Observation } from '../../contract/control-protocol.ts';

/** All in ms of one clock, which looks like ms since the epoch and is so as long as the wall clock does not jump. */
export type SteadyTimes = {
  now(): number;
  /** @param key what it is the time of, `time` (RFC 3339) what the wall clock said then */
  at(key: string, time: string): number;
  /** With the times that the plan counts from. */
  observation(seen: Observation | null): Observation | null;
};

/** More than the operations of a workspace that a plan looks at. */
const mostKept = 2000;

export function createSteadyTimes(
  wallClock: () => Date,
  monotonicMs: () => number = () => performance.now(),
): SteadyTimes {
  const start = wallClock().getTime() - monotonicMs();
  const known = new Map<string, number>();
  const now = (): number => start + monotonicMs();

  function at(key: string, time: string): number {
    const ageMs = Math.max(0, wallClock().getTime() - Date.parse(time));
    const moment = known.get(key) ?? now() - ageMs;
    known.delete(key);
    known.set(key, moment);
    const [oldest] = known.keys();
    if (known.size > mostKept && oldest !== undefined) known.delete(oldest);
    return moment;
  }

  return {
    now,
    at,
    observation(seen) {
      if (!seen) return null;
      const services = seen.services.map((report) => {
        if (report.started_at === null) return report;
        const startedMs = at(`service ${report.name} ${report.started_at}`, report.started_at);
        return { ...report, started_at: new Date(startedMs).toISOString() };
      });
      return { ...seen, services };
    },
  };
}
