export type Summary = { readonly median: number; readonly min: number; readonly max: number; readonly runs: number };
export type Pair = {
  readonly ours: Summary;
  readonly theirs: Summary;
  readonly ratio: Summary;
  readonly more: Summary;
};

export function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN, runs: sorted.length };
}

/** The value that `share` (0 to 1) of all are at most. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? Number.NaN;
}

/**
 * Both sides in turn (A B A B …), so that a machine whose speed drifts does so for both; once before it counts, for what
 * is only slow the first time. Milliseconds; `ratio` and `more` (ours less theirs) are taken pair by pair.
 */
export async function inTurn(
  runs: number,
  ours: (run: number) => Promise<number>,
  theirs: (run: number) => Promise<number>,
): Promise<Pair> {
  const pairs: (readonly [ours: number, theirs: number])[] = [];
  for (let run = 0; run <= runs; run += 1) {
    const pair = [await ours(run), await theirs(run)] as const;
    if (run > 0) pairs.push(pair);
  }
  return {
    ours: summarize(pairs.map(([a]) => a)),
    theirs: summarize(pairs.map(([, b]) => b)),
    ratio: summarize(pairs.map(([a, b]) => a / b)),
    more: summarize(pairs.map(([a, b]) => a - b)),
  };
}

export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}
