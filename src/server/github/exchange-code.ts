/** GitHub's tokens: for the code that the browser brought back (the last step of the web flow), and for one that ends. */
import { z } from 'zod';
import { NexusError } from '../../contract/errors.ts';

export type OauthApp = { readonly webUrl: string; readonly clientId: string; readonly clientSecret: string };

/** `renewal`: of a GitHub App whose tokens end; null for those that do not. */
export type GithubGrant = { readonly token: string; readonly scope: string; readonly renewal: Renewal | null };

/** GitHub takes `refreshToken` once, and answers with the next one; the token of before is void from then on. */
export type Renewal = { readonly refreshToken: string; readonly expiresInSeconds: number };

const timeoutMs = 10_000;

const granted = z.object({
  access_token: z.string().min(1),
  scope: z.string().default(''),
  refresh_token: z.string().min(1).optional(),
  expires_in: z.number().positive().optional(),
});
const refused = z.object({ error: z.string(), error_description: z.string().optional() });

/** @throws github_unreachable, and unauthorized with GitHub's reason */
export function exchangeCode(
  app: OauthApp,
  { code, verifier }: { code: string; verifier: string },
): Promise<GithubGrant> {
  return askForGrant(app, { code, code_verifier: verifier });
}

/** Another token in place of one that ends. @throws github_unreachable, and unauthorized with GitHub's reason */
export function renewToken(app: OauthApp, refreshToken: string): Promise<GithubGrant> {
  return askForGrant(app, { grant_type: 'refresh_token', refresh_token: refreshToken });
}

async function askForGrant(
  { webUrl, clientId, clientSecret }: OauthApp,
  proof: Readonly<Record<string, string>>,
): Promise<GithubGrant> {
  const body = { client_id: clientId, client_secret: clientSecret, ...proof };
  const answer = await post(`${webUrl.replace(/\/+$/, '')}/login/oauth/access_token`, body);
  const grant = granted.safeParse(answer);
  if (grant.success) {
    const { access_token: token, scope, refresh_token: refreshToken, expires_in: expiresInSeconds } = grant.data;
    const ends = refreshToken !== undefined && expiresInSeconds !== undefined;
    return { token, scope, renewal: ends ? { refreshToken, expiresInSeconds } : null };
  }
  const refusal = refused.safeParse(answer);
  if (!refusal.success) throw unreachable('what it answers is no token');
  const { error, error_description } = refusal.data;
  throw new NexusError('unauthorized', { reason: `GitHub says "${error_description ?? error}"` });
}

async function post(url: string, body: object): Promise<unknown> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { accept: 'application/json', 'content-type': 'application/json' },
      body: JSON.stringify(body),
      signal: AbortSignal.timeout(timeoutMs),
    });
    return await response.json();
  } catch (error) {
    throw unreachable('it does not answer as it should', error);
  }
}

function unreachable(reason: string, cause?: unknown): NexusError {
  return new NexusError('github_unreachable', { reason }, cause === undefined ? {} : { cause });
}
