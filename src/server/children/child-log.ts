/** The log file of a process that the server starts: appended to, and never more than two files of a certain size. */
import { copyFileSync, openSync, statSync, truncateSync } from 'node:fs';

const logBytes = 10 * 2 ** 20;

/** For the process's output. It must be opened for appending: `capLog` shortens it while it is written to. */
export function openLog(file: string): number {
  capLog(file);
  return openSync(file, 'a', 0o600);
}

/** Puts a long one aside, over the one before. What is written in that moment may be lost. */
export function capLog(file: string, { maxBytes = logBytes } = {}): void {
  const size = statSync(file, { throwIfNoEntry: false })?.size ?? 0;
  if (size <= maxBytes) return;
  copyFileSync(file, `${file}.1`);
  truncateSync(file);
}
