/** What is known of the services of one workspace, put together from what its monitor prints and what commands saw. */
import type { ServiceReport } from '../../contract/control-protocol.ts';
import { serviceName } from '../../contract/ids.ts';
import { addProbe, reportService, type ProbeHistory } from './health.ts';
import { parseMonitorLine } from './monitor-line.ts';
import type { UnitState } from './unit-state.ts';

export type ServiceWatch = {
  takeLine(line: string): void;
  /** All units of the workspace as they are now. */
  takeUnits(units: readonly UnitState[]): void;
  reports(): ServiceReport[];
  /** Whether every service that runs was probed: not so when it, or the monitor, has just begun. */
  isComplete(): boolean;
};

/** The protocol takes no more; the owner of the workspace can make up units of our names. */
const mostServices = 200;

function isOurs(name: string): boolean {
  return serviceName.safeParse(name).success;
}

export function createServiceWatch(): ServiceWatch {
  const units = new Map<string, UnitState>();
  const probes = new Map<string, ProbeHistory>();

  return {
    takeLine(line) {
      const news = parseMonitorLine(line);
      if (!news) return;
      const [known, name] = 'unit' in news ? [units, news.unit.name] : [probes, news.probe.service];
      if (!isOurs(name) || (known.size >= mostServices && !known.has(name))) return;
      if ('unit' in news) units.set(news.unit.name, news.unit);
      else probes.set(news.probe.service, addProbe(probes.get(news.probe.service), news.probe));
    },
    takeUnits(seen) {
      units.clear();
      for (const unit of seen.filter(({ name }) => isOurs(name)).slice(0, mostServices)) units.set(unit.name, unit);
    },
    reports() {
      return [...units.values()]
        .map((unit) => reportService(unit, probes.get(unit.name)))
        .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    },
    isComplete() {
      return [...units.values()].every(({ name, mainPid }) => mainPid === 0 || probes.get(name)?.last.pid === mainPid);
    },
  };
}
