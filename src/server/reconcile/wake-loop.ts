/** Does passes over one thing, one after the other: whenever it is woken, and when the pass before said to. */
import { createMutex } from '../../lib/mutex.ts';

/** When the next pass is due: at once, at a time (ms of the loop's clock), or when woken. */
export type Next = 'now' | number | null;

export type WakeLoop = {
  /** A pass follows, soon: what changed before this call is seen by it. */
  wake(): void;
  /** Does something while no pass is under way. */
  between<T>(work: () => Promise<T>): Promise<T>;
  /** No pass follows; one that is under way goes on. */
  end(): void;
};

const retryAfterFaultMs = 5_000;
/** A time that a node named may be far off, and a longer timer than Node.js has would end at once. */
const longestWaitMs = 60 * 60_000;

export function createWakeLoop(
  pass: () => Promise<Next>,
  { now, onError }: { readonly now: () => number; readonly onError: (error: unknown) => void },
): WakeLoop {
  const exclusive = createMutex();
  let isWanted = false;
  const ended = new AbortController();
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  function wake(): void {
    isWanted = true;
    clearTimeout(timer);
    if (!ended.signal.aborted) running ??= drive();
  }

  async function drive(): Promise<void> {
    while (isWanted && !ended.signal.aborted) {
      isWanted = false;
      const next = await exclusive(pass).catch((error: unknown) => {
        onError(error);
        return now() + retryAfterFaultMs;
      });
      if (next === 'now') isWanted = true;
      else if (next !== null && !isWanted && !ended.signal.aborted) {
        timer = setTimeout(wake, Math.min(longestWaitMs, Math.max(0, next - now())));
      }
    }
    running = null;
  }

  return {
    wake,
    between: exclusive,
    end() {
      ended.abort();
      clearTimeout(timer);
    },
  };
}
