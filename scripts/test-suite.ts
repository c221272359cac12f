// Runs the files of a suite and sums up.
import { runTestFile, type Tally, type TimeLimits } from './test-file.ts';

export interface Suite {
  readonly globs: readonly string[];
  /** Files that run at the same time. */
  readonly concurrency: number;
  readonly limits: TimeLimits;
}

export const emptyTally: Tally = { passed: 0, failed: 0, skipped: [] };

export function addTally(a: Tally, b: Tally): Tally {
  return { passed: a.passed + b.passed, failed: a.failed + b.failed, skipped: [...a.skipped, ...b.skipped] };
}

export function closingLine({ passed, failed, skipped }: Tally): string {
  return `${passed} passed, ${failed} failed, ${skipped.length} skipped`;
}

/** Prints a report a file: as it comes when files run one by one, else when the file has ended. */
export async function runSuite(suite: Suite, files: readonly string[]): Promise<Tally> {
  const waiting = [...files];
  let total = emptyTally;
  const runWaiting = async (): Promise<void> => {
    for (let file = waiting.shift(); file !== undefined; file = waiting.shift()) {
      const held: string[] = [];
      const print = (text: string): void => {
        if (suite.concurrency === 1) process.stdout.write(text);
        else held.push(text);
      };
      print(`\n${file}\n`);
      const tally = await runTestFile(file, suite.limits, print);
      process.stdout.write(held.join(''));
      total = addTally(total, tally);
    }
  };
  await Promise.all(Array.from({ length: suite.concurrency }, runWaiting));
  return total;
}
