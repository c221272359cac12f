/** Questions to the configured GitHub's REST API, each with the token of the person who asks. */
import { z } from 'zod';
import { NexusError } from '../../contract/errors.ts';
import { version } from '../../lib/version.ts';

export type GithubAnswer = { readonly status: number; readonly body: unknown; readonly headers: Headers };

export type GithubApi = {
  /**
   * `status` is below 500, and the answer is no rate limit.
   * @param path below the API's URL, with a slash before it
   * @throws github_unreachable, github_rate_limited
   */
  get(path: string, token: string): Promise<GithubAnswer>;
};

/** Long enough for a slow network, short enough that whoever waits is not lost. */
const answerWithinMs = 5_000;
/** GitHub asks for a minute where it says nothing ("Rate limits for the REST API"). */
const defaultRetryMs = 60_000;

const saying = z.object({ message: z.string() });

export function createGithubApi({
  apiUrl,
  now,
  timeoutMs = answerWithinMs,
}: {
  apiUrl: string;
  now: () => Date;
  timeoutMs?: number;
}): GithubApi {
  const base = apiUrl.replace(/\/+$/, '');
  return {
    async get(path, token) {
      const response = await ask(`${base}${path}`, { token, timeoutMs });
      const body = await readJson(response);
      const resetAt = rateLimitEnd(response, body, now());
      if (resetAt !== null) throw new NexusError('github_rate_limited', { reset_at: resetAt.toISOString() });
      if (response.status >= 500 || body === undefined)
        throw unreachable(`it answers with status ${response.status}${body === undefined ? ' and no JSON' : ''}`);
      return { status: response.status, body, headers: response.headers };
    },
  };
}

async function ask(url: string, { token, timeoutMs }: { token: string; timeoutMs: number }): Promise<Response> {
  const headers = {
    authorization: `Bearer ${token}`,
    accept: 'application/vnd.github+json',
    'user-agent': `nexus/${version}`,
    'x-github-api-version': '2022-11-28',
  };
  try {
    return await fetch(url, { headers, signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    throw unreachable(reasonOf(error), error);
  }
}

/** Undefined for what is not JSON: a page of a proxy, or of GitHub in trouble. */
async function readJson(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw unreachable(reasonOf(error), error);
  }
}

/** Null when it is no rate limit. */
function rateLimitEnd({ status, headers }: Response, body: unknown, now: Date): Date | null {
  if (status !== 403 && status !== 429) return null;
  const retryAfter = Number(headers.get('retry-after') ?? Number.NaN);
  if (Number.isFinite(retryAfter)) return new Date(now.getTime() + retryAfter * 1000);
  if (headers.get('x-ratelimit-remaining') === '0') {
    const reset = Number(headers.get('x-ratelimit-reset') ?? Number.NaN);
    if (Number.isFinite(reset)) return new Date(reset * 1000);
  }
  return status === 429 || /rate limit/i.test(messageOf(body)) ? new Date(now.getTime() + defaultRetryMs) : null;
}

/** GitHub's own words for a refusal; empty without any. */
export function messageOf(body: unknown): string {
  const parsed = saying.safeParse(body);
  return parsed.success ? parsed.data.message : '';
}

function unreachable(reason: string, cause?: unknown): NexusError {
  return new NexusError('github_unreachable', { reason }, cause === undefined ? {} : { cause });
}

/** Node.js hides the reason in the cause, Bun has it in the code. */
function reasonOf(error: unknown): string {
  const { name, code, cause } = error as { name?: string; code?: unknown; cause?: { code?: unknown } };
  if (name === 'TimeoutError') return 'it does not answer in time';
  const known = cause?.code ?? code;
  return typeof known === 'string' ? `the connection failed (${known})` : 'the connection failed';
}
