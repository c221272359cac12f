/** How to sign in, and the web flow: two pages for the browser, and the exchange of its one-time code. */
import { randomBytes } from 'node:crypto';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { NexusError, toNexusError } from '../../contract/errors.ts';
import { signInPaths, startSignInQuery } from '../../contract/sign-in.ts';
import { isLoopback } from '../../lib/loopback.ts';
import type { WebSignIn } from '../auth/web-sign-in.ts';
import type { AppDeps } from './app-deps.ts';
import { noEndpoint } from './error-answers.ts';
import type { Handlers } from './handler.ts';
import { readRequest } from './read-request.ts';
import { codePage, failurePage } from './sign-in-pages.ts';

type Deps = Pick<AppDeps, 'config' | 'webSignIn'>;

const cookieName = 'nexus_sign_in';
const cookieForm = /^[A-Za-z0-9_-]{43}$/;
const callbackQuery = z.object({
  state: z.string().default(''),
  code: z.string().optional(),
  error: z.string().optional(),
  error_description: z.string().optional(),
});

export function signInHandlers({ config, webSignIn }: Deps): Pick<Handlers, 'getSignIn' | 'exchangeSignInCode'> {
  const { mode, oidc } = config.auth;
  const { api_url, web_url, client_id } = config.github;
  return {
    async getSignIn() {
      const github = { api_url, web_url, client_id: client_id ?? null, web_flow: webSignIn !== null };
      return {
        mode,
        github: mode === 'github' ? github : null,
        oidc: mode === 'oidc' && oidc ? { issuer: oidc.issuer, audience: oidc.audience } : null,
      };
    },
    async exchangeSignInCode({ body, request, reply }) {
      if (webSignIn === null) throw noEndpoint(request);
      const grant = webSignIn.redeem(body.code, body.code_verifier);
      if (grant === undefined) {
        const problem = 'is not known, too old, used already, or of a sign-in that was begun elsewhere';
        throw new NexusError('invalid_request', { fields: [{ path: 'code', problem }] });
      }
      void reply.header('cache-control', 'no-store');
      return { access_token: grant.token, token_type: 'bearer' as const, scope: grant.scope };
    },
  };
}

/** The browser's part; without an OAuth App these paths are not there. */
export function registerSignInPages(app: FastifyInstance, { webSignIn }: Deps): void {
  if (webSignIn === null) return;
  app.get(signInPaths.start, async (request, reply) => {
    const query = readRequest({ query: startSignInQuery }, request).query as z.output<typeof startSignInQuery>;
    const redirectUri = query.redirect_uri === undefined ? null : checkedTarget(query.redirect_uri);
    const browser = browserOf(request) ?? randomBytes(32).toString('base64url');
    const { code_challenge: challenge, state = null } = query;
    void reply.header('set-cookie', cookie(browser, request)).header('cache-control', 'no-store');
    return reply.redirect(webSignIn.begin({ redirectUri, state, challenge, browser }), 302);
  });
  app.get(signInPaths.callback, (request, reply) => finish(webSignIn, request, reply));
}

async function finish(webSignIn: WebSignIn, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
  const query = callbackQuery.safeParse(request.query);
  const begun = query.success ? webSignIn.resume(query.data.state, browserOf(request) ?? '') : undefined;
  if (!query.success || begun === undefined)
    return page(reply, 400, failurePage('This sign-in is too old, or was begun in another browser.'));
  const { code, error, error_description } = query.data;
  if (code === undefined) {
    if (begun.redirectUri !== null) return back(reply, begun, { error: error ?? 'server_error' });
    return page(reply, 400, failurePage(error_description ?? 'GitHub did not sign you in.'));
  }
  try {
    const ours = await begun.finish(code);
    return begun.redirectUri === null ? page(reply, 200, codePage(ours)) : back(reply, begun, { code: ours });
  } catch (thrown) {
    const failure = toNexusError(thrown);
    request.log.warn({ err: failure.cause, error: failure.code }, failure.message);
    if (begun.redirectUri !== null) return back(reply, begun, { error: failure.code });
    return page(reply, failure.status, failurePage(failure.message));
  }
}

function back(
  reply: FastifyReply,
  { redirectUri, state }: { redirectUri: string | null; state: string | null },
  parameters: Record<string, string>,
): FastifyReply {
  const given = new URLSearchParams({ ...parameters, ...(state === null ? {} : { state }) }).toString();
  const separator = redirectUri?.includes('?') ? '&' : '?';
  void reply.header('cache-control', 'no-store').header('referrer-policy', 'no-referrer');
  return reply.redirect(`${redirectUri}${separator}${given}`, 303);
}

function page(reply: FastifyReply, status: number, html: string): FastifyReply {
  void reply.headers({
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  });
  return reply.code(status).type('text/html; charset=utf-8').send(html);
}

/**
 * A program on the person's own machine (RFC 8252, section 7.3), or a page of this server.
 * @throws invalid_request for anything else: it would get other people's codes
 */
function checkedTarget(uri: string): string {
  // `//host` and `/\host` lead elsewhere.
  if (/^\/(?![/\\])[\x21-\x7e]*$/.test(uri) && !uri.includes('#')) return uri;
  const url = URL.parse(uri);
  const isOwn = url !== null && url.protocol === 'http:' && isLoopback(url.hostname);
  if (isOwn && url.hash === '' && url.username === '' && url.password === '') return url.href;
  const problem = 'must be http://127.0.0.1:PORT/…, or a path of this server';
  throw new NexusError('invalid_request', { fields: [{ path: 'redirect_uri', problem }] });
}

/** Binds the callback to the browser that began: nobody can have somebody else end a sign-in of theirs. */
function cookie(browser: string, { protocol, headers }: FastifyRequest): string {
  const isHttps = protocol === 'https' || headers['x-forwarded-proto'] === 'https';
  return `${cookieName}=${browser}; Path=/auth/github; Max-Age=600; HttpOnly; SameSite=Lax${isHttps ? '; Secure' : ''}`;
}

function browserOf({ headers }: FastifyRequest): string | undefined {
  const pairs = (headers.cookie ?? '').split(/; */);
  const value = pairs.find((pair) => pair.startsWith(`${cookieName}=`))?.slice(cookieName.length + 1);
  return value !== undefined && cookieForm.test(value) ? value : undefined;
}
