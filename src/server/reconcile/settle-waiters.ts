/** Those who wait for a workspace to be what it should be. */
import { NexusError } from '../../contract/errors.ts';

export type SettleWaiters = {
  /** `pass`: the number of the pass that is under way; only later ones know of what was asked for before this call. */
  wait(options: { pass: number; timeoutMs: number; signal?: AbortSignal }): Promise<void>;
  /** What pass number `pass` came to: null when the workspace is as it should be, or is gone. */
  conclude(pass: number, error: NexusError | null): void;
};

type Waiter = { readonly since: number; readonly finish: (error: NexusError | null) => void };

export function createSettleWaiters(what: string): SettleWaiters {
  const waiters = new Set<Waiter>();
  return {
    wait({ pass, timeoutMs, signal }) {
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          since: pass,
          finish(error) {
            waiters.delete(waiter);
            clearTimeout(timer);
            signal?.removeEventListener('abort', onAbort);
            if (error) reject(error);
            else resolve();
          },
        };
        const late = new NexusError('timeout', { what, seconds: timeoutMs / 1000 });
        const timer = setTimeout(() => waiter.finish(late), timeoutMs);
        const onAbort = (): void => waiter.finish(late);
        signal?.addEventListener('abort', onAbort);
        waiters.add(waiter);
        if (signal?.aborted) onAbort();
      });
    },
    conclude(pass, error) {
      for (const waiter of waiters) if (pass > waiter.since) waiter.finish(error);
    },
  };
}
