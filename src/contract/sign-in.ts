/** How people sign in to a server, and the endpoints that they need for it before they have a token. */
import { z } from 'zod';
import { endpoint } from './endpoint.ts';

/** What a token must allow: the repositories, the person's keys, and the address that commits carry. */
export const neededScopes = ['repo', 'read:org', 'user:email', 'admin:public_key'] as const;

/** Of random texts that prove who began a sign-in: `code_verifier` and `code_challenge` as in RFC 7636. */
const verifier = z.string().regex(/^[A-Za-z0-9._~-]{43,128}$/, 'must be 43 to 128 of letters, digits, -, ., _ and ~');
const challenge = z.string().regex(/^[A-Za-z0-9_-]{43}$/, 'must be the base64url of a SHA-256');

/** The query of `GET /auth/github/start`, which a browser opens. Without `redirect_uri` the code is shown on a page. */
export const startSignInQuery = z.strictObject({
  redirect_uri: z.string().max(2048).optional(),
  /** Comes back with the code. */
  state: z.string().max(512).optional(),
  code_challenge: challenge,
  code_challenge_method: z.literal('S256'),
});

export const signInPaths = { start: '/auth/github/start', callback: '/auth/github/callback' } as const;

/** For anyone: the CLI asks before it is signed in. */
export const signInView = z.object({
  mode: z.enum(['local', 'github', 'oidc']),
  /** The GitHub that the server works with; null unless that is how one signs in. */
  github: z
    .object({
      api_url: z.string(),
      web_url: z.string(),
      /** Of the server's OAuth App, for the device flow; null: there is none. */
      client_id: z.string().nullable(),
      /** Whether a sign-in in the browser can begin at `signInPaths.start`. */
      web_flow: z.boolean(),
    })
    .nullable(),
  oidc: z.object({ issuer: z.string(), audience: z.string() }).nullable(),
});
export type SignInView = z.infer<typeof signInView>;

export const signInEndpoints = {
  getSignIn: endpoint({
    method: 'GET',
    path: '/auth',
    access: 'anyone',
    status: 200,
    summary: 'How to sign in.',
    response: signInView,
  }),
  /** Each code once, within a minute (5 from the page), by whoever has the verifier of the challenge that the sign-in began with. */
  exchangeSignInCode: endpoint({
    method: 'POST',
    path: '/auth/github/token',
    access: 'anyone',
    status: 200,
    summary: 'The token of a sign-in in the browser, for its one-time code.',
    body: z.strictObject({ code: z.string().min(1).max(256), code_verifier: verifier }),
    response: z.object({ access_token: z.string(), token_type: z.literal('bearer'), scope: z.string() }),
  }),
};
