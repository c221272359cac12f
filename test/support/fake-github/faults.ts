/** What a test can have go wrong at the fake GitHub, from the next request on, until it is put right. */
import type { IncomingMessage, ServerResponse } from 'node:http';

/** Which of GitHub's services a request is for. */
export type Part = 'api' | 'web' | 'git';

/** `refuse` cuts the connection, `hang` never answers. */
export type OutageKind = 'refuse' | 'hang' | 'bad_gateway';

/** Primary: the hour's requests are used up. Secondary: too much at once, with `Retry-After`. */
export type RateLimit =
  | { readonly kind: 'primary'; readonly status: 403 | 429; readonly resetAt: Date }
  | { readonly kind: 'secondary'; readonly status: 403 | 429; readonly retryAfterSeconds: number };

export type Faults = {
  outage: { readonly kind: OutageKind; readonly parts: readonly Part[] } | null;
  /** How many requests of the outage's parts are still answered before it begins. */
  outageAfter: number;
  rateLimit: RateLimit | null;
  /** Told of every request that an outage took. */
  readonly onStrike: Set<() => void>;
};

export function createFaults(): Faults {
  return { outage: null, outageAfter: 0, rateLimit: null, onStrike: new Set() };
}

/** Whether the outage took the request. */
export function strike(faults: Faults, part: Part, request: IncomingMessage, response: ServerResponse): boolean {
  const { outage } = faults;
  if (outage === null || !outage.parts.includes(part)) return false;
  if (faults.outageAfter > 0) {
    faults.outageAfter -= 1;
    return false;
  }
  for (const tell of faults.onStrike) tell();
  if (outage.kind === 'refuse') request.socket.destroy();
  if (outage.kind === 'bad_gateway') {
    response.writeHead(502, { 'content-type': 'text/html; charset=utf-8' });
    response.end('<!DOCTYPE html><html><head><title>Unicorn! &middot; GitHub</title></head></html>\n');
  }
  return true;
}

/** As GitHub documents it ("Rate limits for the REST API"). */
export function rateLimitHeaders(limit: RateLimit | null, now: Date): Record<string, string> {
  const most = 5000;
  const remaining = limit?.kind === 'primary' ? 0 : most - 1;
  const reset = limit?.kind === 'primary' ? limit.resetAt : new Date(now.getTime() + 3600_000);
  return {
    'x-ratelimit-limit': String(most),
    'x-ratelimit-remaining': String(remaining),
    'x-ratelimit-used': String(most - remaining),
    'x-ratelimit-reset': String(Math.ceil(reset.getTime() / 1000)),
    'x-ratelimit-resource': 'core',
    ...(limit?.kind === 'secondary' ? { 'retry-after': String(limit.retryAfterSeconds) } : {}),
  };
}

export function rateLimitMessage(limit: RateLimit): string {
  return limit.kind === 'primary'
    ? 'API rate limit exceeded for user ID 1001. If you reach out to GitHub Support for help, please include the request ID.'
    : 'You have exceeded a secondary rate limit. Please wait a few minutes before you try again.';
}
