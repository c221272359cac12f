/**
 * Asking GitHub again and again whether a device code was typed, as RFC 8628 (3.5) wants it: `slow_down` makes all later
 * pauses longer, and a GitHub that is away for a while is waited for. The library that signs in would give up there.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { CliContext } from '../context.ts';

const slowDownSeconds = 5;
const answerWithinMs = 15_000;
const leastPauseWhenAwayMs = 1_000;

export type DevicePoll = {
  /** The code is there, and is asked about from now on. */
  begin(code: { intervalSeconds: number; lifeSeconds: number }): void;
  /** One request of the library; for one about the code, the answer when there is nothing more to wait for. */
  readonly ask: (request: Request, options: object) => Promise<Answer>;
};

/** What of octokit's request is used. */
type Request = (options: never) => Promise<unknown>;
type Answer = { readonly data: { readonly error?: string; readonly interval?: number } };

export function createDevicePoll(
  { interrupt, stderr }: Pick<CliContext, 'interrupt' | 'stderr'>,
  pause = (ms: number): Promise<unknown> => delay(ms, undefined, { signal: interrupt }),
): DevicePoll {
  let pauseMs = 0;
  let endsAtMs = Number.NEGATIVE_INFINITY;
  let isAwayTold = false;

  /** Null: GitHub could not be asked, and there is time to try again. */
  async function attempt(request: Request, options: object): Promise<Answer | null> {
    const signal = AbortSignal.any([interrupt, AbortSignal.timeout(answerWithinMs)]);
    try {
      return (await request({ ...options, request: { signal } } as never)) as Answer;
    } catch (error) {
      interrupt.throwIfAborted();
      if (!isPassing(error) || performance.now() > endsAtMs) throw error;
      if (!isAwayTold) stderr.write('! GitHub does not answer at the moment; it is asked again\n');
      isAwayTold = true;
      return null;
    }
  }

  return {
    begin({ intervalSeconds, lifeSeconds }) {
      pauseMs = intervalSeconds * 1000;
      endsAtMs = performance.now() + lifeSeconds * 1000;
    },
    async ask(request, options) {
      for (;;) {
        const answer = await attempt(request, options);
        const { error, interval } = answer?.data ?? {};
        if (error === 'slow_down')
          pauseMs = interval === undefined ? pauseMs + slowDownSeconds * 1000 : interval * 1000;
        if (answer !== null && error !== 'slow_down' && error !== 'authorization_pending') return answer;
        const leastMs = answer === null ? leastPauseWhenAwayMs : 0;
        await pause(Math.max(pauseMs, leastMs));
      }
    },
  };
}

/** The network, or an answer of 429 or 5xx. */
function isPassing(error: unknown): boolean {
  const { status, response } = error as { status?: number; response?: unknown };
  return response === undefined || status === 429 || (status ?? 500) >= 500;
}
