import type { Readable, Writable } from 'node:stream';

/** More than any first message of a protocol. */
const mostHeldBytes = 64 * 1024;

export type HeldInput = {
  /** Whether all that was said can be said again. */
  isWhole(): boolean;
  /** Says to another what was said already; the rest is piped to it as usual. */
  sayAgain(to: Writable): void;
  /** It has been heard: nothing is held any more. */
  forget(): void;
};

/**
 * Keeps what a stream says first, for the next tunnel when the one that it went into was never opened: a server takes
 * bytes before it knows whether there is a way for them, and drops them when there is none.
 */
export function holdInput(input: Readable): HeldInput {
  let chunks: Buffer[] | null = [];
  let size = 0;
  const hold = (chunk: Buffer): void => {
    chunks?.push(chunk);
    size += chunk.length;
    if (size > mostHeldBytes) forget();
  };
  function forget(): void {
    chunks = null;
    input.off('data', hold);
  }
  // It begins to flow when it is piped.
  input.pause();
  input.on('data', hold);
  return {
    isWhole: () => chunks !== null,
    sayAgain: (to) => chunks?.forEach((chunk) => to.write(chunk)),
    forget,
  };
}
