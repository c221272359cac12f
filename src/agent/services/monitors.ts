/**
 * Keeps one monitor (guest-monitor.sh) in each running workspace that has services, and tells what it sees. A monitor
 * ends with its stdin, so one of an agent that died is gone; one that dies is started again.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceReport } from '../../contract/control-protocol.ts';
import { createBackoff } from '../../lib/backoff.ts';
import type { Logger } from '../../lib/log.ts';
import { readLines } from '../guest/read-lines.ts';
import { startScript } from '../guest/run-script.ts';
import type { ExecHandle, Provider } from '../providers/provider.ts';
import { createReportFilter } from './report-changes.ts';
import { createServiceWatch } from './service-watch.ts';
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

type Watched = {
  readonly stop: AbortController;
  readonly ended: Promise<void>;
  handle: ExecHandle | null;
};

const livedLongMs = 10_000;

export function createMonitors(options: {
  onReports(id: string, reports: ServiceReport[]): void;
  readonly log: Logger;
}): Monitors {
  const watches = new Map<string, ReturnType<typeof createServiceWatch>>();
  const watched = new Map<string, Watched>();

  function watchOf(id: string): ReturnType<typeof createServiceWatch> {
    const known = watches.get(id);
    if (known) return known;
    const made = createServiceWatch();
    watches.set(id, made);
    return made;
  }

  async function keepMonitoring(
    provider: Provider,
    { id, address }: { readonly id: string; readonly address: string | null },
    stop: AbortSignal,
  ): Promise<void> {
    const backoff = createBackoff({ firstMs: 200, maxMs: 10_000 });
    const tell = createReportFilter((reports) => options.onReports(id, reports));
    while (!stop.aborted) {
      const startedAt = performance.now();
      try {
        const handle = await startScript(provider, id, { script: 'monitor', args: [address ?? '127.0.0.1'] });
        const entry = watched.get(id);
        if (stop.aborted || !entry) {
          handle.stdin.end();
          return;
        }
        entry.handle = handle;
        handle.stderr.resume();
        for await (const line of readLines(handle.stdout)) {
          watchOf(id).takeLine(line);
          // A look at the units prints them one by one, and `beat` when all of them are there.
          if (!line.startsWith('unit')) tell(watchOf(id).reports(), Date.now());
        }
        await handle.exitCode;
      } catch (error) {
        options.log.debug({ err: error, workspace: id }, 'the monitor could not be run');
      }
      if (stop.aborted || (await hasStopped(provider, id))) return;
      if (performance.now() - startedAt > livedLongMs) backoff.reset();
      await sleep(backoff.next(), undefined, { signal: stop }).catch(() => undefined);
    }
  }

  function end(id: string): Promise<void> {
    const entry = watched.get(id);
    if (!entry) return Promise.resolve();
    watched.delete(id);
    entry.stop.abort();
    entry.handle?.stdin.end();
    return entry.ended;
  }

  return {
    report(id, units) {
      const watch = watchOf(id);
      watch.takeUnits(units);
      return watch.reports();
    },
    current: (id) => watchOf(id).reports(),
    watch(provider, instance) {
      if (watched.has(instance.id)) return;
      const stop = new AbortController();
      const begun = Promise.withResolvers<void>();
      const entry: Watched = {
        stop,
        handle: null,
        ended: begun.promise
          .then(() => keepMonitoring(provider, instance, stop.signal))
          .finally(() => {
            if (watched.get(instance.id) === entry) watched.delete(instance.id);
          }),
      };
      watched.set(instance.id, entry);
      begun.resolve();
    },
    look(id) {
      watched.get(id)?.handle?.stdin.write('look\n');
    },
    async complete(id, { timeoutMs }) {
      const deadline = Date.now() + timeoutMs;
      while (watched.has(id) && !watchOf(id).isComplete() && Date.now() < deadline) await sleep(20);
    },
    forget(id) {
      void end(id);
      watches.delete(id);
    },
    async [Symbol.asyncDispose]() {
      await Promise.all([...watched.keys()].map(end));
    },
  };
}

/** An engine that does not answer is no reason to give up. */
async function hasStopped(provider: Provider, id: string): Promise<boolean> {
  return provider.inspect(id).then(
    (instance) => instance?.state !== 'running',
    () => false,
  );
}
