import type { Writable } from 'node:stream';

/** One of the two ways out, as the commands see it: stdout for what was asked for, stderr for progress and errors. */
export type Output = {
  write(text: string): void;
  /** For bytes that pass through. */
  readonly stream: Writable;
  readonly isTerminal: boolean;
  readonly hasColor: boolean;
  /** Width in characters; of something other than a terminal, wide enough not to cut anything. */
  columns(): number;
};

type Stream = Writable & { readonly isTTY?: boolean; readonly columns?: number };

export function createOutput(stream: Stream, env: Readonly<Record<string, string | undefined>>): Output {
  const isTerminal = stream.isTTY === true;
  return {
    write: (text) => void stream.write(text),
    stream,
    isTerminal,
    // https://no-color.org: set to anything but nothing.
    hasColor: isTerminal && !env['NO_COLOR'] && env['TERM'] !== 'dumb',
    // 0: a terminal that does not know.
    columns: () => (isTerminal ? stream.columns || 80 : Number.POSITIVE_INFINITY),
  };
}
