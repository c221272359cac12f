/** The web flow: GitHub's documentation, "Authorizing OAuth apps", with PKCE (RFC 7636). */
import { createHash, randomBytes } from 'node:crypto';
import type { Answer } from './answer.ts';
import { issueToken, oauthAnswer, oauthError } from './oauth-state.ts';
import type { OauthApp, OauthState } from './oauth-state.ts';
import type { World } from './world.ts';

/** `GET /login/oauth/authorize`: what the browser gets once the person has decided. */
export function authorize({ oauth, query }: { oauth: OauthState; query: URLSearchParams }): Answer {
  const app = oauth.apps.get(query.get('client_id') ?? '');
  if (app === undefined) return { status: 404, body: 'Not Found' };
  const redirectUri = query.get('redirect_uri') ?? app.callbackUrl;
  const { browser } = oauth;
  if (browser === null) return { status: 302, headers: { location: '/login' }, body: null };
  if (!isBelow(redirectUri, app.callbackUrl))
    return { status: 200, body: 'The redirect_uri is not associated with this application.' };
  const state = query.get('state');
  const back = new URL(redirectUri);
  if (state !== null) back.searchParams.set('state', state);
  if (browser.deniesWeb) {
    back.searchParams.set('error', 'access_denied');
    back.searchParams.set('error_description', 'The user has denied your application access.');
    return { status: 302, headers: { location: back.href }, body: null };
  }
  const code = randomBytes(10).toString('hex');
  oauth.webCodes.push({
    code,
    clientId: app.clientId,
    redirectUri,
    scopes: (query.get('scope') ?? '').split(/[ ,]+/).filter(Boolean),
    challenge: query.get('code_challenge_method') === 'S256' ? query.get('code_challenge') : null,
    login: browser.login,
  });
  back.searchParams.set('code', code);
  return { status: 302, headers: { location: back.href }, body: null };
}

type Exchange = {
  readonly world: World;
  readonly oauth: OauthState;
  readonly form: URLSearchParams;
  readonly accept: string | undefined;
};

/** `POST /login/oauth/access_token`: each code once. */
export function exchangeCode({ world, oauth, form, accept }: Exchange): Answer {
  const app = oauth.apps.get(form.get('client_id') ?? '');
  if (app === undefined || app.clientSecret !== form.get('client_secret'))
    return oauthError(
      'incorrect_client_credentials',
      'The client_id and/or client_secret passed are incorrect.',
      accept,
    );
  if (form.get('grant_type') === 'refresh_token') return refresh({ world, oauth, form, accept }, app);
  const at = oauth.webCodes.findIndex(({ code }) => code === form.get('code'));
  const [code] = at < 0 ? [] : oauth.webCodes.splice(at, 1);
  if (code === undefined || code.clientId !== app.clientId || !isProven(code.challenge, form.get('code_verifier')))
    return oauthError('bad_verification_code', 'The code passed is incorrect or expired.', accept);
  if ((form.get('redirect_uri') ?? code.redirectUri) !== code.redirectUri)
    return oauthError('redirect_uri_mismatch', 'The redirect_uri MUST match the registered callback URL.', accept);
  return grant({ world, oauth, form, accept }, app, code);
}

/** GitHub's documentation, "Refreshing user access tokens": the tokens of before are void. */
function refresh(exchange: Exchange, app: OauthApp): Answer {
  const { oauth, form, accept } = exchange;
  const refreshToken = form.get('refresh_token') ?? '';
  const known = oauth.refreshTokens.get(refreshToken);
  if (known?.clientId !== app.clientId)
    return oauthError('bad_refresh_token', 'The refresh token passed is incorrect or expired.', accept);
  oauth.refreshTokens.delete(refreshToken);
  known.token.revoked = true;
  return grant(exchange, app, { login: known.token.login, scopes: [] });
}

function grant(
  { world, oauth, accept }: Exchange,
  { clientId, tokensEndAfterSeconds }: OauthApp,
  { login, scopes }: { login: string; scopes: string[] },
): Answer {
  if (tokensEndAfterSeconds === undefined) {
    const { value } = issueToken(world, login, { scopes });
    return oauthAnswer({ access_token: value, token_type: 'bearer', scope: scopes.join(',') }, accept);
  }
  // The permissions are the app's: GitHub names no scopes.
  const token = issueToken(world, login, { scopes: null, prefix: 'ghu' });
  const refresh_token = `ghr_${randomBytes(38).toString('hex')}`;
  oauth.refreshTokens.set(refresh_token, { clientId, token });
  const ends = { expires_in: tokensEndAfterSeconds, refresh_token_expires_in: 15_897_600 };
  return oauthAnswer({ access_token: token.value, token_type: 'bearer', scope: '', refresh_token, ...ends }, accept);
}

function isProven(challenge: string | null, verifier: string | null): boolean {
  if (challenge === null) return true;
  return verifier !== null && createHash('sha256').update(verifier).digest('base64url') === challenge;
}

/** GitHub takes the registered URL and what is below it; on loopback any port. */
function isBelow(uri: string, registered: string): boolean {
  const [one, other] = [new URL(uri), new URL(registered)];
  const sameHost = one.hostname === other.hostname && (one.port === other.port || one.hostname === '127.0.0.1');
  return sameHost && one.pathname.startsWith(other.pathname);
}
