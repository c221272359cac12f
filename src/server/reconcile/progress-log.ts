/** Lines of progress, written a few times a second and not one by one: each write goes to the disk. */
export type ProgressLog = {
  add(line: string): void;
  /** Writes what is left. */
  flush(): Promise<void>;
};

const writeEveryMs = 200;
/** Of one write; the rest of a flood is left out. */
const mostLines = 10;
const longestLine = 500;

export function createProgressLog(write: (lines: readonly string[]) => Promise<void>): ProgressLog {
  let lines: string[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> = Promise.resolve();

  function flush(): Promise<void> {
    clearTimeout(timer);
    timer = undefined;
    const due = lines.slice(-mostLines);
    lines = [];
    if (due.length > 0) writing = writing.catch(() => undefined).then(() => write(due));
    return writing;
  }
  return {
    add(line) {
      lines.push(line.slice(0, longestLine));
      timer ??= setTimeout(() => void flush().catch(() => undefined), writeEveryMs);
    },
    flush,
  };
}
