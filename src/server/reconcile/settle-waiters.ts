/** Those who wait for a workspace to be what it should be. */
import { NexusError } from '../../contract/errors.ts';
import type { WorkspaceRow } from '../store/schema.ts';

export type SettleOptions = {
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** What was asked for: the wait is over, too, when somebody asked for something else since. Absent: for whatever is. */
  readonly want?: WorkspaceRow['want'];
};

export type SettleWaiters = {
  /** `pass`: the number of the pass that is under way; only later ones know of what was asked for before this call. */
  wait(options: SettleOptions & { readonly pass: number }): Promise<void>;
  /** This is wanted by now. */
  wanted(want: WorkspaceRow['want']): void;
  /** What pass number `pass` came to: null when the workspace is as it should be, or is gone. */
  conclude(pass: number, error: NexusError | null): void;
};

type Waiter = Pick<SettleOptions, 'want'> & {
  readonly since: number;
  readonly finish: (error: NexusError | null) => void;
};

export function createSettleWaiters(what: string): SettleWaiters {
  const waiters = new Set<Waiter>();
  return {
    wait({ pass, timeoutMs, signal, want }) {
      return new Promise((resolve, reject) => {
        const waiter: Waiter = {
          since: pass,
          ...(want === undefined ? {} : { want }),
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
    wanted(want) {
      for (const waiter of waiters) if (waiter.want !== undefined && waiter.want !== want) waiter.finish(null);
    },
    conclude(pass, error) {
      for (const waiter of waiters) if (pass > waiter.since) waiter.finish(error);
    },
  };
}
