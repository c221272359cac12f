/** How long to wait before try number `attempt + 1`, after `attempt` failures: doubling, with a ceiling. Milliseconds. */
export type Backoff = { readonly firstMs: number; readonly maxMs: number };

export function backoffMs(attempt: number, backoff: Backoff): number {
  if (attempt <= 0) return 0;
  return Math.min(backoff.maxMs, backoff.firstMs * 2 ** Math.min(attempt - 1, 30));
}
