/**
 * OIDC mode: ID or access tokens (JWT) of one issuer, checked with its published keys. People are known by the issuer's
 * `sub`; their name comes from a claim of the token.
 */
import { createHash } from 'node:crypto';
import { createRemoteJWKSet, errors, jwtVerify } from 'jose';
import type { JWTPayload, JWTVerifyGetKey } from 'jose';
import { z } from 'zod';
import { NexusError } from '../../contract/errors.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import { userName } from '../../contract/user.ts';
import { createSingleFlight } from '../../lib/single-flight.ts';
import { isAdmin } from './admins.ts';
import type { Authenticator, TokenOwner } from './authenticator.ts';

type OidcConfig = NonNullable<ServerConfig['auth']['oidc']>;

/** Signatures alone: a secret that the issuer shares with others would prove nothing. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA'];
/** Between the clocks of the issuer and of this machine. */
const clockToleranceSeconds = 30;
const timeoutMs = 5_000;
/** A key that the issuer takes back counts for no longer than that; an unknown one is looked for at once. */
const keysForMs = 10 * 60_000;

const discovery = z.object({ issuer: z.string(), jwks_uri: z.url() });

type Parts = { readonly oidc: OidcConfig; readonly admins: readonly string[]; readonly now: () => Date };

/** The issuer is asked with the first token: the server starts without it. */
export function createOidcAuthenticator({ oidc, admins, now }: Parts): Authenticator {
  const keysOf = rememberedKeys(oidc);
  return {
    async authenticate(token) {
      const keys = await keysOf();
      try {
        const { payload } = await jwtVerify(token, keys, {
          issuer: oidc.issuer,
          audience: oidc.audience,
          algorithms,
          clockTolerance: clockToleranceSeconds,
          currentDate: now(),
          requiredClaims: ['exp', 'sub'],
        });
        return ownerOf(payload, { oidc, admins });
      } catch (error) {
        throw refusalOf(error, oidc);
      }
    },
  };
}

/** Where the keys are is asked once; jose keeps the keys themselves, and asks again for one that it does not know. */
function rememberedKeys({ issuer }: OidcConfig): () => Promise<JWTVerifyGetKey> {
  const once = createSingleFlight();
  const known = new Map<string, JWTVerifyGetKey>();
  return async () =>
    known.get(issuer) ??
    once(issuer, async () => {
      const keys = createRemoteJWKSet(new URL(await discoverKeys(issuer)), {
        timeoutDuration: timeoutMs,
        cacheMaxAge: keysForMs,
      });
      known.set(issuer, keys);
      return keys;
    });
}

/** OpenID Connect Discovery 1.0, section 4. */
async function discoverKeys(issuer: string): Promise<string> {
  const url = `${issuer.replace(/\/+$/, '')}/.well-known/openid-configuration`;
  const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) }).catch((error: unknown) => {
    throw unreachable(issuer, 'the connection failed', error);
  });
  const body: unknown = await response.json().catch(() => null);
  const found = discovery.safeParse(body);
  if (!response.ok || !found.success) throw unreachable(issuer, `${url} is no discovery document (${response.status})`);
  if (found.data.issuer !== issuer) throw unreachable(issuer, `${url} is of another issuer, ${found.data.issuer}`);
  return found.data.jwks_uri;
}

function ownerOf(payload: JWTPayload, { oidc, admins }: Pick<Parts, 'oidc' | 'admins'>): TokenOwner {
  const sub = payload.sub ?? '';
  const githubUsername = nameOf(payload, oidc);
  return { githubUsername, githubId: idOf(oidc.issuer, sub), admin: isAdmin(admins, githubUsername) };
}

/** @throws unauthorized when the claim is not there, or is no name that a user can have */
function nameOf(payload: JWTPayload, { username_claim, email_domain }: OidcConfig): string {
  const claim = payload[username_claim];
  if (typeof claim !== 'string') throw unauthorized(`the token has no claim ${username_claim}`);
  const [, local, domain] = /^(.+)@([^@]+)$/.exec(claim) ?? [];
  const isOwn = domain !== undefined && domain.toLowerCase() === email_domain?.toLowerCase();
  // Whoever has not proved that the address is theirs could be anybody.
  if (isOwn && payload['email_verified'] === false)
    throw unauthorized('the e-mail address in the token is not verified');
  const name = isOwn ? local : claim;
  if (userName.safeParse(name).success && name !== undefined) return name;
  throw unauthorized(`the claim ${username_claim} of the token ("${claim}") cannot be a user's name here`);
}

/** A positive number of 52 bits, the same for the same person ever after: the API's ids are numbers, as GitHub's are. */
function idOf(issuer: string, sub: string): number {
  const hash = createHash('sha256').update(`${issuer}\n${sub}`).digest();
  return Number(hash.readBigUInt64BE() >> 12n) + 1;
}

function refusalOf(error: unknown, { issuer }: OidcConfig): unknown {
  if (error instanceof NexusError) return error;
  if (error instanceof errors.JWTExpired) return unauthorized('the token has expired');
  if (error instanceof errors.JWTClaimValidationFailed)
    return unauthorized(`the token is not for this server: its ${error.claim} is not the one expected`);
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWSSignatureVerificationFailed)
    return unauthorized(`the token is not signed by ${issuer}`);
  if (error instanceof errors.JWKSTimeout) return unreachable(issuer, `no keys within ${timeoutMs / 1000} s`, error);
  if (
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JOSEAlgNotAllowed
  )
    return unauthorized(`the token is not one of ${issuer}`);
  return unreachable(issuer, 'its keys cannot be read', error);
}

function unauthorized(reason: string): NexusError {
  return new NexusError('unauthorized', { reason });
}

function unreachable(issuer: string, reason: string, cause?: unknown): NexusError {
  return new NexusError('issuer_unreachable', { issuer, reason }, cause === undefined ? {} : { cause });
}
