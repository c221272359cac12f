/** Counts what went well and what did not, apart by what was disturbed meanwhile. */
import type { Disturbances } from './disturbances.ts';

export type Failure = { readonly atMs: number; readonly what: string; readonly during: readonly string[] };
type Count = { ok: number; failed: number };

export type Tally = {
  /** While nothing was disturbed. */
  readonly calm: Readonly<Count>;
  readonly disturbed: Readonly<Record<string, Readonly<Count>>>;
  /** Milliseconds of the calm ones that went well. */
  readonly durations: readonly number[];
  readonly failures: readonly Failure[];
  /** Runs it and counts how it ends. Never rejects: null when it failed. */
  count<T>(what: string, run: () => Promise<T>): Promise<T | null>;
};

export type TallyOptions = {
  readonly now: () => number;
  readonly disturbances: Pick<Disturbances, 'since'>;
  readonly onFailure: (failure: Failure) => void;
};

export function createTally({ now, disturbances, onFailure }: TallyOptions): Tally {
  const calm: Count = { ok: 0, failed: 0 };
  const disturbed: Record<string, Count> = {};
  const durations: number[] = [];
  const failures: Failure[] = [];

  function add(during: readonly string[], how: keyof Count): void {
    if (during.length === 0) calm[how] += 1;
    for (const what of new Set(during)) (disturbed[what] ??= { ok: 0, failed: 0 })[how] += 1;
  }

  return {
    calm,
    disturbed,
    durations,
    failures,
    async count(what, run) {
      const fromMs = now();
      try {
        const result = await run();
        const during = disturbances.since(fromMs);
        add(during, 'ok');
        if (during.length === 0) durations.push(now() - fromMs);
        return result;
      } catch (error) {
        const during = disturbances.since(fromMs);
        add(during, 'failed');
        const failure = { atMs: now(), what: `${what}: ${reasonOf(error)}`, during };
        failures.push(failure);
        onFailure(failure);
        return null;
      }
    },
  };
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
}
