export type Summary = { readonly median: number; readonly min: number; readonly max: number; readonly runs: number };

function summarize(values: readonly number[]): Summary {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const upper = sorted[middle] ?? Number.NaN;
  const median = sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
  return { median, min: sorted[0] ?? Number.NaN, max: sorted.at(-1) ?? Number.NaN, runs: sorted.length };
}

/** Both sides in turn (A B A B …), so that a machine whose speed drifts does so for both. Milliseconds. */
export async function inTurn(
  runs: number,
  ours: (run: number) => Promise<number>,
  theirs: (run: number) => Promise<number>,
): Promise<{ ours: Summary; theirs: Summary; ratio: Summary }> {
  const a: number[] = [];
  const b: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    a.push(await ours(run));
    b.push(await theirs(run));
  }
  return {
    ours: summarize(a),
    theirs: summarize(b),
    ratio: summarize(a.map((value, index) => value / (b[index] ?? Number.NaN))),
  };
}

export async function timed(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}
