import { setTimeout as sleep } from 'node:timers/promises';
import { createBackoff } from '../../lib/backoff.ts';
import { createBudget } from '../../lib/budget.ts';
import type { Logger } from '../../lib/log.ts';
import { readLines } from '../guest/read-lines.ts';
import { startScript } from '../guest/run-script.ts';
import type { ExecHandle, Provider } from '../providers/provider.ts';

export type Monitor = {
  /** Has a look now. */
  look(): void;
  end(): void;
  /** Resolves when it was ended, or its instance does not run any more. */
  readonly ended: Promise<void>;
};

const livedLongMs = 10_000;
/** Fifty services that are probed every second print a quarter; the owner of the workspace can make it print without end. */
const linesOfWorkspace = { most: 2_000, perSecond: 400 };

/**
 * Keeps guest-monitor.sh running in an instance for as long as that runs. It ends with its stdin, so that of an agent
 * that died is gone.
 */
export function startMonitor(
  provider: Provider,
  instance: { readonly id: string; readonly address: string | null },
  options: { readonly onLine: (line: string) => void; readonly log: Logger },
): Monitor {
  const { id, address } = instance;
  const stop = new AbortController();
  let handle: ExecHandle | null = null;

  async function runOnce(): Promise<void> {
    const started = await startScript(provider, id, { script: 'monitor', args: [address ?? '127.0.0.1'] });
    if (stop.signal.aborted) started.stdin.end();
    handle = started;
    started.stderr.resume();
    const budget = createBudget(linesOfWorkspace);
    for await (const line of readLines(started.stdout)) {
      await budget.spend(1);
      options.onLine(line);
    }
    await started.exitCode;
  }

  async function keepRunning(): Promise<void> {
    const backoff = createBackoff({ firstMs: 200, maxMs: 10_000 });
    while (!stop.signal.aborted) {
      const startedAt = performance.now();
      await runOnce().catch((error: unknown) => {
        options.log.debug({ err: error, workspace: id }, 'the monitor could not be run');
      });
      handle = null;
      if (stop.signal.aborted || (await hasStopped(provider, id))) return;
      if (performance.now() - startedAt > livedLongMs) backoff.reset();
      await sleep(backoff.next(), undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }

  return {
    look() {
      handle?.stdin.write('look\n');
    },
    end() {
      stop.abort();
      handle?.stdin.end();
    },
    ended: keepRunning(),
  };
}

/** An engine that does not answer is no reason to give up. */
async function hasStopped(provider: Provider, id: string): Promise<boolean> {
  return provider.inspect(id).then(
    (instance) => instance?.state !== 'running',
    () => false,
  );
}
