/** The monitors of all workspaces of the node, and what is known of their services. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceReport } from '../../contract/control-protocol.ts';
import type { Logger } from '../../lib/log.ts';
import type { Provider } from '../providers/provider.ts';
import { startMonitor, type Monitor } from './monitor.ts';
import { createReportFilter } from './report-changes.ts';
import { createServiceWatch, type ServiceWatch } from './service-watch.ts';
import type { UnitState } from './unit-state.ts';

export type Monitors = {
  /** What the services are, by what a command just saw of their units and what the monitor found of their health. */
  report(id: string, units: readonly UnitState[]): ServiceReport[];
  /** The same, by what the monitor itself saw last. */
  current(id: string): ServiceReport[];
  /** Watches a workspace's services until it stops or `forget` is called. */
  watch(provider: Provider, instance: { readonly id: string; readonly address: string | null }): void;
  /** Has a look now: something was changed. */
  look(id: string): void;
  /** Resolves when the monitor has probed every service that runs, or after `timeoutMs`. */
  complete(id: string, options: { timeoutMs: number }): Promise<void>;
  forget(id: string): void;
  [Symbol.asyncDispose](): Promise<void>;
};

export function createMonitors(options: {
  readonly onReports: (id: string, reports: ServiceReport[]) => void;
  readonly log: Logger;
}): Monitors {
  const watches = new Map<string, ServiceWatch>();
  const monitors = new Map<string, Monitor>();

  function watchOf(id: string): ServiceWatch {
    const watch = watches.get(id) ?? createServiceWatch();
    watches.set(id, watch);
    return watch;
  }

  async function end(id: string): Promise<void> {
    const monitor = monitors.get(id);
    monitors.delete(id);
    monitor?.end();
    await monitor?.ended;
  }

  return {
    report(id, units) {
      const watch = watchOf(id);
      watch.takeUnits(units);
      return watch.reports();
    },
    current: (id) => watchOf(id).reports(),
    watch(provider, { id, address }) {
      if (monitors.has(id)) return;
      const tell = createReportFilter((reports) => options.onReports(id, reports));
      function onLine(line: string): void {
        watchOf(id).takeLine(line);
        // A look at the units prints them one by one, and `beat` when all of them are there.
        if (!line.startsWith('unit')) tell(watchOf(id).reports(), performance.now());
      }
      const monitor = startMonitor(provider, { id, address }, { onLine, log: options.log });
      monitors.set(id, monitor);
      void monitor.ended.then(() => {
        if (monitors.get(id) === monitor) monitors.delete(id);
      });
    },
    look(id) {
      monitors.get(id)?.look();
    },
    async complete(id, { timeoutMs }) {
      const deadline = performance.now() + timeoutMs;
      while (monitors.has(id) && !watchOf(id).isComplete() && performance.now() < deadline) await sleep(20);
    },
    forget(id) {
      void end(id);
      watches.delete(id);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...monitors.keys()].map(end));
    },
  };
}
