/** Waits that grow from failure to failure, each a random part of its bound ("full jitter"), so that peers spread out. */
export type Backoff = {
  /** Milliseconds to wait after one more failure. */
  next(): number;
  /** It worked: the next failure starts anew. */
  reset(): void;
};

export function createBackoff(options: { firstMs: number; maxMs: number; random?: () => number }): Backoff {
  const { firstMs, maxMs, random = Math.random } = options;
  let failures = 0;
  return {
    next() {
      const boundMs = Math.min(maxMs, firstMs * 2 ** failures);
      failures += 1;
      return Math.ceil(random() * boundMs);
    },
    reset() {
      failures = 0;
    },
  };
}
