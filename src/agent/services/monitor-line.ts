import type { ProbeResult } from './health.ts';
import { parseUnit, type UnitState } from './unit-state.ts';

const longestDetail = 1_000;

/** A line of guest-monitor.sh; null for one that only says that it is there. */
export function parseMonitorLine(line: string): { unit: UnitState } | { probe: ProbeResult } | null {
  const [kind, ...values] = line.split('\t');
  if (kind === 'unit') return { unit: parseUnit(values) };
  if (kind !== 'probe') return null;
  const [service = '', pid, at, retries, outcome, ...detail] = values;
  if (Number.isNaN(new Date(Number(at)).getTime())) return null;
  return {
    probe: {
      service,
      pid: Number(pid),
      at: Number(at),
      retries: Number(retries),
      outcome: outcome === 'ok' || outcome === 'timeout' ? outcome : 'failed',
      detail: detail.join(' ').slice(0, longestDetail) || null,
    },
  };
}
