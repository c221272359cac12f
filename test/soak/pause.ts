import { setTimeout as sleep } from 'node:timers/promises';

/** Resolves after the time, or at once when the signal aborts. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  if (ms > 0) await sleep(ms, undefined, { signal }).catch(() => undefined);
}

/** Calls `run` again and again, a call begun every `everyMs` or as soon as the last one ended, until the signal. */
export async function repeat(everyMs: number, signal: AbortSignal, run: () => Promise<unknown>): Promise<void> {
  while (!signal.aborted) {
    const startedAt = performance.now();
    await run();
    await pause(everyMs - (performance.now() - startedAt), signal);
  }
}
