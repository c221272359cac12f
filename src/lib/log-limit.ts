import type { Logger, LogLevel } from './log.ts';

type Window = { readonly since: number; lines: number; leftOut: number };
type About = Readonly<Record<string, unknown>>;

/** More kinds of lines than there are workspaces on a large installation; beyond it all windows begin anew. */
const mostKinds = 10_000;

/**
 * A log for what strangers and broken peers can cause at will: of each kind of line (its message and whom it is about:
 * `workspace`, `peer` or `port`) so many in each window; the next line of the kind says how many were left out. A line
 * is written while it is of use, and no peer fills the disk.
 */
export function limitLog(
  log: Logger,
  options: { readonly lines: number; readonly everyMs: number; readonly now?: () => number } = defaults,
): Logger {
  const { lines, everyMs, now = () => performance.now() } = options;
  const windows = new Map<string, Window>();

  /** How many were left out before this line; null: it is left out too. */
  function admit(kind: string): number | null {
    const known = windows.get(kind);
    if (known && now() - known.since < everyMs) {
      if (known.lines >= lines) {
        known.leftOut += 1;
        return null;
      }
      known.lines += 1;
      return 0;
    }
    if (!known && windows.size >= mostKinds) windows.clear();
    windows.set(kind, { since: now(), lines: 1, leftOut: 0 });
    return known?.leftOut ?? 0;
  }
  function limited(level: LogLevel): Logger[LogLevel] {
    const write = (about: About | string, message?: string): void => {
      const [details, text] = typeof about === 'string' ? [{} as About, about] : [about, message ?? ''];
      const whom = details['workspace'] ?? details['peer'] ?? details['port'] ?? '';
      const leftOut = admit(JSON.stringify([text, whom]));
      if (leftOut !== null) log[level](leftOut > 0 ? { ...details, left_out: leftOut } : details, text);
    };
    return write;
  }
  return { debug: limited('debug'), info: limited('info'), warn: limited('warn'), error: limited('error') };
}

const defaults = { lines: 10, everyMs: 60_000 };
