import type { FastifyRateLimitStore } from '@fastify/rate-limit';

type Window = { readonly startedMs: number; count: number };

/** More users than make requests within a minute. */
const mostUsers = 5000;

/**
 * How many requests each user has made in the present window. It counts monotonic time: by the wall clock, as the
 * plugin's own store does it, a user who is over the limit would stay so until a clock that was put back has caught up.
 */
export class RateLimitStore implements FastifyRateLimitStore {
  readonly #windows = new Map<string, Window>();

  incr(
    user: string,
    done: (error: Error | null, result?: { current: number; ttl: number }) => void,
    windowMs: number,
  ): void {
    const nowMs = performance.now();
    const known = this.#windows.get(user);
    const window = known && nowMs - known.startedMs < windowMs ? known : { startedMs: nowMs, count: 0 };
    window.count += 1;
    this.#windows.delete(user);
    this.#windows.set(user, window);
    const [oldest] = this.#windows.keys();
    if (this.#windows.size > mostUsers && oldest !== undefined) this.#windows.delete(oldest);
    done(null, { current: window.count, ttl: windowMs - (nowMs - window.startedMs) });
  }

  /** No endpoint has a limit of its own. */
  child(): this {
    return this;
  }
}
