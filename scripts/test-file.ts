// Runs one test file in a process of its own and counts what happened. What node:test would let pass or wait for
// without end is a failure here: a test that calls process.exit, and a file that leaves something open.
import { resolve } from 'node:path';
import { run } from 'node:test';
import { spec, type TestEvent } from 'node:test/reporters';

export interface SkippedTest {
  readonly name: string;
  readonly reason: string;
}

export interface Tally {
  readonly passed: number;
  readonly failed: number;
  readonly skipped: readonly SkippedTest[];
}

export interface TimeLimits {
  /** Of each test. */
  readonly testMs: number;
  /** Of the whole file. */
  readonly fileMs: number;
  /** From the last test's end to the end of the process. */
  readonly exitMs: number;
}

/** Longer is not waited for: a process that the test started may hold the output open for ever. */
const killedExitMs = 3000;

function skippedTest(event: TestEvent): SkippedTest | undefined {
  if (event.type !== 'test:pass' && event.type !== 'test:fail') return undefined;
  const { name, skip, todo } = event.data;
  const mark = skip ?? todo;
  if (mark === undefined || mark === false) return undefined;
  return { name, reason: mark === true ? 'no reason given' : mark };
}

/** The closing figures of the run, which the caller sums up instead. */
function isRunDiagnostic(event: TestEvent): boolean {
  return event.type === 'test:diagnostic' && event.data.file === undefined;
}

/** Runs `file`, hands node's own report of it to `print` as it comes, and resolves with the counts. */
export async function runTestFile(file: string, limits: TimeLimits, print: (text: string) => void): Promise<Tally> {
  const path = resolve(file);
  const watchdog = new AbortController();
  const closed = Promise.withResolvers<void>();
  const skipped: SkippedTest[] = [];
  const counted = { passed: 0, failed: 0 };
  let isCounted = false;
  let isInTime = true;

  const endAfter = (timeoutMs: number, problem: string): NodeJS.Timeout =>
    setTimeout(() => {
      isInTime = false;
      print(`✖ ${file} ${problem}\n`);
      watchdog.abort();
      setTimeout(closed.resolve, killedExitMs).unref();
    }, timeoutMs);
  let timer = endAfter(limits.fileMs, `took longer than ${limits.fileMs / 1000} s`);

  const report = new spec();
  report.on('data', (chunk: unknown) => print(String(chunk)));
  const events = run({ files: [path], timeout: limits.testMs, signal: watchdog.signal });
  events.on('data', (event) => {
    if (!isRunDiagnostic(event)) report.write(event);
    const skip = skippedTest(event);
    if (skip) skipped.push(skip);
    if (event.type !== 'test:summary') return;
    const { file: summarised, counts, success } = event.data;
    if (summarised !== undefined) {
      isCounted = true;
      clearTimeout(timer);
      timer = endAfter(limits.exitMs, `did not end ${limits.exitMs / 1000} s after its tests: something is left open`);
      return;
    }
    const failed = counts.tests - counts.passed - counts.skipped - counts.todo;
    counted.passed = counts.passed;
    // A failed hook of a describe fails the run without a failed test.
    counted.failed = failed === 0 && !success ? 1 : failed;
  });
  events.on('end', closed.resolve);
  await closed.promise;
  clearTimeout(timer);
  report.end();

  if (!isCounted && counted.failed === 0 && isInTime) {
    print(`✖ ${file} ended before its tests: did something call process.exit?\n`);
    return { passed: 0, failed: 1, skipped };
  }
  return { passed: counted.passed, failed: isInTime ? counted.failed : Math.max(1, counted.failed), skipped };
}
