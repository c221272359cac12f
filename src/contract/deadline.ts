import { NexusError } from './errors.ts';

/**
 * Runs a task with a signal that is aborted by the caller's, or when the time is up.
 * @throws timeout from a task that heeds its signal
 */
export async function withDeadline<T>(
  options: { readonly signal?: AbortSignal | undefined; readonly timeoutMs: number },
  what: string,
  task: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const { signal: outer, timeoutMs } = options;
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(new NexusError('timeout', { what, seconds: timeoutMs / 1000 })), timeoutMs);
  try {
    return await task(outer ? AbortSignal.any([outer, late.signal]) : late.signal);
  } finally {
    clearTimeout(timer);
  }
}
