/** GitHub's REST API as the person; every failure is one of the catalogue. */
import { setTimeout as delay } from 'node:timers/promises';
import { NexusError } from '../../contract/errors.ts';
import { createBackoff } from '../../lib/backoff.ts';
import { whyNoAnswer } from '../../lib/why-no-answer.ts';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { GithubHost } from './github-host.ts';
import type { GithubToken } from './github-token.ts';

export type GithubApi = {
  /**
   * One request, e.g. `GET /user`. A GET that GitHub failed is made again for a while.
   * @returns null for 404
   * @throws github_unreachable, github_rate_limited; CliError when the token is not accepted or GitHub refuses
   */
  call(route: string, parameters?: Readonly<Record<string, unknown>>): Promise<GithubAnswer | null>;
};

export type GithubAnswer = {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number | undefined>>;
  readonly data: unknown;
};

const attempts = 4;
const backoffMs = { firstMs: 200, maxMs: 2_000 };
const answerWithinMs = 15_000;

export function createGithubApi(
  host: GithubHost,
  { token, from }: GithubToken,
  options: { signal: AbortSignal },
): GithubApi {
  const { signal } = options;
  const headers = { authorization: `Bearer ${token}`, accept: 'application/vnd.github+json', 'user-agent': 'nexus' };

  async function attempt(route: string, parameters: Readonly<Record<string, unknown>>): Promise<GithubAnswer | null> {
    // Loaded when needed: many uses of the commands that may ask GitHub do not.
    const { request } = await import('@octokit/request');
    try {
      const limits = { signal: AbortSignal.any([signal, AbortSignal.timeout(answerWithinMs)]) };
      return await request(route, { baseUrl: host.apiUrl, headers, ...parameters, request: limits });
    } catch (error) {
      signal.throwIfAborted();
      const status = statusOf(error);
      if (status === 404) return null;
      throw githubFailure(error, { host, from });
    }
  }

  return {
    async call(route, parameters = {}) {
      const backoff = createBackoff(backoffMs);
      for (let left = route.startsWith('GET ') ? attempts - 1 : 0; ; left -= 1) {
        try {
          return await attempt(route, parameters);
        } catch (error) {
          const isPassing = error instanceof NexusError && error.code === 'github_unreachable';
          if (!isPassing || left <= 0) throw error;
          await delay(backoff.next(), undefined, { signal });
        }
      }
    },
  };
}

function statusOf(error: unknown): number | null {
  return error instanceof Error && 'status' in error && typeof error.status === 'number' ? error.status : null;
}

type Response = { headers?: Record<string, string | undefined>; data?: unknown };

function githubFailure(error: unknown, who: { host: GithubHost; from: GithubToken['from'] }): Error {
  const { host, from } = who;
  const status = statusOf(error);
  const response = (error as { response?: Response }).response;
  if (status === null || response === undefined || status >= 500) {
    const reason = status !== null && response !== undefined ? `it answered ${status}` : whyNoAnswer(error);
    return new NexusError('github_unreachable', { reason: `${host.apiUrl}: ${reason}` }, { cause: error });
  }
  if (status === 401) {
    return new CliError(`${host.name} does not accept the token of ${from}: it was revoked, or is too old.`, {
      exitCode: exitCodes.notSignedIn,
      next: from === 'GITHUB_TOKEN' || from === 'GH_TOKEN' ? `unset ${from}` : 'nexus auth github --force',
      cause: error,
    });
  }
  const { headers = {}, data } = response;
  if (status === 429 || headers['retry-after'] !== undefined || headers['x-ratelimit-remaining'] === '0') {
    return new NexusError('github_rate_limited', { reset_at: resetTime(headers) }, { cause: error });
  }
  const said = (data as { message?: string } | undefined)?.message ?? messageOf(error);
  return new CliError(`${host.name} refused: ${said} (${status}).`, { exitCode: exitCodes.failed, cause: error });
}

/** RFC 3339; GitHub says seconds since 1970, or how many to wait. */
function resetTime(headers: Record<string, string | undefined>): string {
  const waitMs = Number(headers['retry-after'] ?? 60) * 1000;
  const atMs =
    headers['x-ratelimit-remaining'] === '0' ? Number(headers['x-ratelimit-reset']) * 1000 : Date.now() + waitMs;
  return new Date(Number.isFinite(atMs) ? atMs : Date.now() + waitMs).toISOString();
}

function messageOf(error: unknown): string {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  return cause instanceof Error ? cause.message : String(cause);
}
