/** What a benchmark comes to: a line of the table that `make bench` prints and docs/benchmarks.md keeps. */
import type { Pair, Summary } from './statistics.ts';

export type Figure = {
  /** `ours | theirs` where there is something beside it. */
  readonly what: string;
  readonly ours: string;
  /** The same without us, in the same run; empty when there is nothing to set beside it. */
  readonly theirs: string;
  /** What is held against the bound. */
  readonly compared: string;
  readonly bound: string;
  readonly isWithin: boolean;
};

/** A figure that is bounded by how many times theirs it is. */
export function ratioFigure(what: string, { ours, theirs, ratio }: Pair, mostTimes: number): Figure {
  return {
    what,
    ours: milliseconds(ours),
    theirs: milliseconds(theirs),
    compared: `${range(ratio, 2)} times`,
    bound: `≤ ${mostTimes} times`,
    isWithin: ratio.median <= mostTimes,
  };
}

export function milliseconds(summary: Summary, digits = 0): string {
  return `${range(summary, digits)} ms`;
}

export function range({ median, min, max }: Summary, digits: number): string {
  return `${median.toFixed(digits)} (${min.toFixed(digits)}–${max.toFixed(digits)})`;
}

export function tableOf(figures: readonly Figure[]): string {
  const rows = figures.map(({ what, ours, theirs, compared, bound, isWithin }) =>
    [what, ours, theirs, compared, bound, isWithin ? 'yes' : 'no']
      .map((cell) => cell.replaceAll('|', '\\|'))
      .join(' | '),
  );
  return [
    'what (ours \\| theirs) | ours | theirs | compared | bound | within',
    '--- | --- | --- | --- | --- | ---',
    ...rows,
  ]
    .map((row) => `| ${row} |\n`)
    .join('');
}
