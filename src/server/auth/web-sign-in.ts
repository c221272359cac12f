/**
 * Signing in with GitHub in the browser. The browser brings back a code that is good once and for a moment, never the
 * token: that is only for whoever has the verifier of the challenge that the sign-in began with. All of it is in memory
 * only: after a restart one signs in again.
 */
import { createHash, randomBytes } from 'node:crypto';
import { neededScopes } from '../../contract/sign-in.ts';
import type { GithubGrant, OauthApp } from '../github/exchange-code.ts';
import { createExpiring } from './expiring.ts';

/** Where the browser goes in the end; null: to a page that shows the code. */
export type Target = { readonly redirectUri: string | null; readonly state: string | null };

type Begun = Target & { readonly browser: string; readonly verifier: string; readonly challenge: string };

export type WebSignIn = {
  /** @param browser the id in its cookie. @returns GitHub's page to send it to */
  begin(started: Target & { browser: string; challenge: string }): string;
  /** Takes up what was begun under GitHub's `state`, once; undefined when it was not, not by this browser, or too long ago. */
  resume(state: string, browser: string): (Target & { finish(code: string): Promise<string> }) | undefined;
  /** The token for a one-time code; undefined for a wrong one, which is void from then on. */
  redeem(code: string, verifier: string): Omit<GithubGrant, 'renewal'> | undefined;
};

const beginWithinMs = 10 * 60_000;
const redirectedCodeForMs = 60_000;
const shownCodeForMs = 5 * 60_000;
const mostAtOnce = 10_000;

type Parts = {
  readonly app: OauthApp;
  /** Told of every token that GitHub gave. */
  readonly onGrant: (grant: GithubGrant) => void;
  readonly exchange: (app: OauthApp, proof: { code: string; verifier: string }) => Promise<GithubGrant>;
  readonly now: () => Date;
};

export function createWebSignIn({ app, exchange, onGrant, now }: Parts): WebSignIn {
  const begun = createExpiring<Begun>({ most: mostAtOnce, now });
  const grants = createExpiring<GithubGrant & { challenge: string }>({ most: mostAtOnce, now });
  return {
    begin(started) {
      const state = randomText();
      const verifier = randomText();
      begun.put(state, { ...started, verifier }, beginWithinMs);
      const url = new URL(`${app.webUrl.replace(/\/+$/, '')}/login/oauth/authorize`);
      url.search = new URLSearchParams({
        client_id: app.clientId,
        scope: neededScopes.join(' '),
        state,
        code_challenge: challengeOf(verifier),
        code_challenge_method: 'S256',
      }).toString();
      return url.href;
    },
    resume(state, browser) {
      const found = begun.take(state);
      if (found?.browser !== browser) return undefined;
      const { redirectUri, challenge, verifier } = found;
      return {
        redirectUri,
        state: found.state,
        async finish(code) {
          const grant = await exchange(app, { code, verifier });
          onGrant(grant);
          const ours = randomText();
          grants.put(ours, { ...grant, challenge }, redirectUri === null ? shownCodeForMs : redirectedCodeForMs);
          return ours;
        },
      };
    },
    redeem(code, verifier) {
      const found = grants.take(code);
      return found?.challenge === challengeOf(verifier) ? { token: found.token, scope: found.scope } : undefined;
    },
  };
}

/** RFC 7636, method S256. */
function challengeOf(verifier: string): string {
  return createHash('sha256').update(verifier).digest('base64url');
}

function randomText(): string {
  return randomBytes(32).toString('base64url');
}
