/** Connections that are held open and used all the time: how many there were, and why any of them ended. */
import type { Disturbances } from './disturbances.ts';
import type { Failure } from './tally.ts';

export type HeldConnections = {
  readonly opened: number;
  /** Lines that went over them. */
  readonly used: number;
  /** How many ended by what was done to the system. */
  readonly ended: Readonly<Record<string, number>>;
  /** Those that ended by themselves. */
  readonly lost: readonly Failure[];
  open(): void;
  use(): void;
  end(how: { lastUsedMs: number; reason: string }): void;
};

export function createHeldConnections(options: {
  readonly now: () => number;
  readonly disturbances: Pick<Disturbances, 'since'>;
  /** Whether such a disturbance may end a connection. */
  readonly mayEnd: (disturbance: string) => boolean;
  readonly onLost: (loss: Failure) => void;
}): HeldConnections {
  const { now, disturbances, mayEnd, onLost } = options;
  const counts = { opened: 0, used: 0 };
  const ended: Record<string, number> = {};
  const lost: Failure[] = [];
  return {
    get opened() {
      return counts.opened;
    },
    get used() {
      return counts.used;
    },
    ended,
    lost,
    open: () => void (counts.opened += 1),
    use: () => void (counts.used += 1),
    end({ lastUsedMs, reason }) {
      const during = disturbances.since(lastUsedMs);
      const cause = during.find(mayEnd);
      if (cause !== undefined) {
        ended[cause] = (ended[cause] ?? 0) + 1;
        return;
      }
      const loss = { atMs: now(), what: reason, during };
      lost.push(loss);
      onLost(loss);
    },
  };
}
