/** The last step of GitHub's web flow: the code that the browser brought back, for a token. */
import { z } from 'zod';
import { NexusError } from '../../contract/errors.ts';

export type OauthApp = { readonly webUrl: string; readonly clientId: string; readonly clientSecret: string };

export type GithubGrant = { readonly token: string; readonly scope: string };

const timeoutMs = 10_000;

const granted = z.object({ access_token: z.string().min(1), scope: z.string().default('') });
const refused = z.object({ error: z.string(), error_description: z.string().optional() });

/** @throws github_unreachable, and unauthorized with GitHub's reason */
export async function exchangeCode(
  { webUrl, clientId, clientSecret }: OauthApp,
  { code, verifier }: { code: string; verifier: string },
): Promise<GithubGrant> {
  const body = { client_id: clientId, client_secret: clientSecret, code, code_verifier: verifier };
  const answer = await post(`${webUrl.replace(/\/+$/, '')}/login/oauth/access_token`, body);
  const grant = granted.safeParse(answer);
  if (grant.success) return { token: grant.data.access_token, scope: grant.data.scope };
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
