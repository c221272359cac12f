import type { ServiceReport } from '../../contract/control-protocol.ts';

/** A change of nothing but the time of the last check is told at most so often. */
const checkTimesEveryMs = 5_000;

/** Lets through what is worth telling: every change, and now and then the times of the last checks. */
export function createReportFilter(
  tell: (reports: ServiceReport[]) => void,
): (reports: ServiceReport[], nowMs: number) => void {
  let told = '';
  let toldWithTimes = '';
  let toldAt = 0;
  return (reports, nowMs) => {
    const withTimes = JSON.stringify(reports);
    const essence = JSON.stringify(reports.map((report) => ({ ...report, last_check: null })));
    if (withTimes === toldWithTimes || (essence === told && nowMs - toldAt < checkTimesEveryMs)) return;
    told = essence;
    toldWithTimes = withTimes;
    toldAt = nowMs;
    tell(reports);
  };
}
