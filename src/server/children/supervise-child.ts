/**
 * The gateway and the agent of a single machine: processes of their own that outlive the server. One that is there
 * already is taken over, one that ends is started again, one of another version is replaced.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { aborted } from '../../lib/aborted.ts';
import { createBackoff } from '../../lib/backoff.ts';
import { isProcessAlive } from '../../lib/process-alive.ts';
import { adoptChild } from './adopt-child.ts';
import { capLog } from './child-log.ts';
import type { ChildOptions, Held } from './child-options.ts';
import { endChild } from './end-child.ts';
import type { ChildSpec } from './find-child.ts';
import { startChild } from './start-child.ts';

export type Child = {
  /** Null while it is not running. */
  readonly pid: number | null;
  /** Tells it to end. An agent is waited for; a gateway lives on until its open connections end. */
  stop(): Promise<void>;
};

const defaultBackoff = { firstMs: 200, maxMs: 30_000 };
const capLogEveryMs = 60_000;

export function superviseChild(spec: ChildSpec, options: ChildOptions): Child {
  const { log } = options;
  const stopping = new AbortController();
  const backoff = createBackoff(options.backoff ?? defaultBackoff);
  let held: Held | null = null;
  const cappingLog = setInterval(keepLogShort, capLogEveryMs);
  const supervision = keep().catch((error: unknown) =>
    log.error({ err: error, role: spec.role }, 'the supervision ended'),
  );

  function keepLogShort(): void {
    try {
      capLog(spec.logFile);
    } catch (error) {
      log.warn({ err: error, role: spec.role }, 'its log could not be put aside');
    }
  }

  async function keep(): Promise<void> {
    while (!stopping.signal.aborted) {
      held = await adoptOrStart();
      if (held) await Promise.race([held.gone, aborted(stopping.signal)]);
      if (stopping.signal.aborted) return;
      if (held) log.warn({ role: spec.role }, 'it ended, and is started again');
      held = null;
      await sleep(backoff.next(), undefined, { signal: stopping.signal }).catch(() => undefined);
    }
  }

  /** Null on a failure, of a disk that is full say: it is tried again. */
  async function adoptOrStart(): Promise<Held | null> {
    try {
      return (await adoptChild(spec, options, stopping.signal)) ?? (await startChild(spec, options, { onExit }));
    } catch (error) {
      log.error({ err: error, role: spec.role }, 'it could not be started');
      return null;
    }
  }

  function onExit(livedMs: number): void {
    if (livedMs > defaultBackoff.maxMs) backoff.reset();
  }

  return {
    get pid() {
      return held?.pid ?? null;
    },
    async stop() {
      clearInterval(cappingLog);
      stopping.abort();
      await supervision;
      if (held && held.pid > 0 && isProcessAlive(held.pid)) await endChild(spec, held.pid, options);
    },
  };
}
