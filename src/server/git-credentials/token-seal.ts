/** How a token is kept: sealed, with when it ends; and those that can be renewed are, before they do. */
import { createHash } from 'node:crypto';
import { NexusError } from '../../contract/errors.ts';
import type { Logger } from '../../lib/log.ts';
import { createExpiring } from '../auth/expiring.ts';
import type { GithubGrant, Renewal } from '../github/exchange-code.ts';
import { endingGitCredentials, findGitCredential, keepGitCredential } from '../store/git-credentials.ts';
import type { GitCredentialRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import type { Sealer } from './sealer.ts';

type SealedToken = Pick<GitCredentialRow, 'sealed_token' | 'token_hash' | 'sealed_renewal' | 'expires_at'>;

export type TokenSeal = {
  /** A token that GitHub just gave, and that will soon be brought by whom it is for. */
  expect(grant: GithubGrant): void;
  /** @param expiresAt RFC 3339, for one that was not expected; null: unknown */
  seal(githubId: number, token: string, expiresAt: string | null): SealedToken;
  /** Renews the tokens that end soon. @returns whose they are */
  renewEnding(): Promise<number[]>;
};

/** Long enough that an outage of GitHub is over, and git has a token that is good for a while. */
const renewAheadSeconds = 30 * 60;
const expectedWithinMs = 10 * 60_000;

export function createTokenSeal({
  store,
  sealer,
  renew,
  log,
  now,
}: {
  readonly store: Store;
  readonly sealer: Sealer;
  /** Null: there is no app that could. */
  readonly renew: ((refreshToken: string) => Promise<GithubGrant>) | null;
  readonly log: Logger;
  readonly now: () => Date;
}): TokenSeal {
  const expected = createExpiring<Renewal>({ most: 10_000, now });
  const after = (seconds: number): string => new Date(now().getTime() + seconds * 1000).toISOString();

  function seal(githubId: number, token: string, expiresAt: string | null): SealedToken {
    const token_hash = hashOf(token);
    const renewal = expected.take(token_hash);
    const sealed = (text: string): string => sealer.seal(text, String(githubId));
    return {
      sealed_token: sealed(token),
      token_hash,
      sealed_renewal: renewal ? sealed(renewal.refreshToken) : null,
      expires_at: renewal ? after(renewal.expiresInSeconds) : expiresAt,
    };
  }

  function expect({ token, renewal }: GithubGrant): void {
    if (renewal !== null) expected.put(hashOf(token), renewal, expectedWithinMs);
  }

  async function renewed(row: GitCredentialRow): Promise<GitCredentialRow | null> {
    const refreshToken = row.sealed_renewal && sealer.open(row.sealed_renewal, String(row.github_id));
    if (!refreshToken || renew === null) return null;
    try {
      const grant = await renew(refreshToken);
      expect(grant);
      return { ...row, ...seal(row.github_id, grant.token, null) };
    } catch (error) {
      log.warn({ err: error, user: row.login }, 'a token of GitHub could not be renewed');
      // Else GitHub is away: it is tried again.
      const isRefused = error instanceof NexusError && error.code === 'unauthorized';
      return isRefused ? { ...row, sealed_renewal: null } : null;
    }
  }

  return {
    expect,
    seal,
    async renewEnding() {
      const done: number[] = [];
      for (const row of await endingGitCredentials(store.db, after(renewAheadSeconds))) {
        const next = await renewed(row);
        if (next === null) continue;
        await store.transaction(async (tx) => {
          // Not over one that was brought meanwhile.
          const current = await findGitCredential(tx, row.github_id);
          if (current?.token_hash === row.token_hash) await keepGitCredential(tx, next);
        });
        done.push(row.github_id);
      }
      return done;
    },
  };
}

/** SHA-256, hex. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}
