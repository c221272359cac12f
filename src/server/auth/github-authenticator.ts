/**
 * GitHub mode. GitHub is asked whose a token is; the answer is kept under the token's hash, in the database, so that a
 * restart while GitHub is down locks nobody out. The token itself is not logged, and nobody but the lender gets it.
 */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { NexusError } from '../../contract/errors.ts';
import { createSingleFlight } from '../../lib/single-flight.ts';
import { messageOf } from '../github/github-api.ts';
import type { GithubApi } from '../github/github-api.ts';
import type { Store } from '../store/store.ts';
import { findSeenToken, forgetToken, keepSeenToken } from '../store/seen-tokens.ts';
import type { SeenTokenRow } from '../store/schema.ts';
import { isAdmin } from './admins.ts';
import type { Authentication, Authenticator } from './authenticator.ts';
import type { GitLender, SeenGithubToken } from '../git-credentials/git-lender.ts';
import { isMember } from '../github/is-member.ts';
import { createRecentSet } from './recent-set.ts';

const freshMs = 5 * 60_000;
const usableMs = 24 * 3600_000;
/** After a failure GitHub is left alone for so long, and old answers come at once. */
const restMs = 15_000;
const badForMs = 30_000;
/** So many wrong tokens within that time, and GitHub hears of no more: it shuts out addresses that try many. */
const mostBad = 100;

/** GitHub's own kinds, and the 40 hexadecimal digits of old ones: nothing else is sent to GitHub. */
const tokenForm = /^(?:gh[a-z]_[A-Za-z0-9_]{20,255}|github_pat_[A-Za-z0-9_]{20,255}|[0-9a-f]{40})$/;

const githubUser = z.object({
  id: z.int().positive(),
  login: z.string().min(1),
  name: z.string().nullable().default(null),
  email: z.string().nullable().default(null),
});

type Parts = {
  readonly store: Store;
  readonly github: GithubApi;
  /** Takes the tokens that are good, and hears of those that are not any more. */
  readonly lender: Pick<GitLender, 'take' | 'refuse'>;
  readonly admins: readonly string[];
  /** Whose members may come; none: everybody. */
  readonly organizations: readonly string[];
  readonly now: () => Date;
};

export function createGithubAuthenticator({ store, github, lender, admins, organizations, now }: Parts): Authenticator {
  const once = createSingleFlight();
  const refused = createRecentSet({ forMs: badForMs, most: 10_000, now });
  const outage = { until: 0, reason: '' };
  const before = (ms: number): string => new Date(now().getTime() - ms).toISOString();
  const ownerOf = ({ login, github_id }: Pick<SeenTokenRow, 'login' | 'github_id'>): Authentication => ({
    githubUsername: login,
    githubId: github_id,
    admin: isAdmin(admins, login),
  });

  async function askGithub(token: string, hash: string): Promise<Authentication> {
    const { status, body, headers } = await github.get('/user', token);
    if (status !== 200) {
      refused.add(hash);
      await store.transaction((tx) => forgetToken(tx, hash));
      await lender.refuse(hash);
      throw refusal(status, body);
    }
    const user = githubUser.safeParse(body);
    if (!user.success) throw new NexusError('github_unreachable', { reason: 'what it answers is no user' });
    if (!(await isMember(github, organizations, token))) {
      await store.transaction((tx) => forgetToken(tx, hash));
      throw new NexusError('forbidden', { reason: notMember(organizations) });
    }
    const seen = { token_hash: hash, github_id: user.data.id, login: user.data.login };
    const keptSince = before(usableMs);
    await store.transaction((tx) => keepSeenToken(tx, seen, { keptSince }));
    const { id, login, name, email } = user.data;
    await lender.take({ token, githubId: id, login, name, email, ...tokenFacts(headers) });
    return ownerOf(seen);
  }

  async function check(token: string, hash: string): Promise<Authentication> {
    const seen = await findSeenToken(store.db, hash);
    if (seen && seen.seen_at > before(freshMs)) return ownerOf(seen);
    if (seen === undefined && refused.size() >= mostBad)
      throw new NexusError('rate_limited', { limit: mostBad, retry_after_seconds: badForMs / 1000 });
    const old = seen && seen.seen_at > before(usableMs) ? seen : undefined;
    if (old && now().getTime() < outage.until) return stale(ownerOf(old), outage.reason);
    // During an outage one request at a time finds out whether it is over; nobody else waits for that.
    if (outage.reason !== '') outage.until = now().getTime() + restMs;
    try {
      const owner = await askGithub(token, hash);
      Object.assign(outage, { until: 0, reason: '' });
      return owner;
    } catch (error) {
      if (!isOutage(error)) throw error;
      Object.assign(outage, { until: now().getTime() + restMs, reason: error.message });
      if (!old) throw error;
      return stale(ownerOf(old), error.message);
    }
  }

  return {
    async authenticate(token) {
      const hash = createHash('sha256').update(token).digest('hex');
      if (!tokenForm.test(token)) throw unauthorized('this is not a token of GitHub');
      if (refused.has(hash)) throw unauthorized('GitHub does not accept the token');
      return once(hash, () => check(token, hash));
    },
  };
}

/** What GitHub's answers say of the token that asked. */
function tokenFacts(headers: Headers): Pick<SeenGithubToken, 'scopes' | 'expiresAt'> {
  const expires = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)/.exec(
    headers.get('github-authentication-token-expiration') ?? '',
  );
  return {
    scopes: headers.get('x-oauth-scopes')?.split(/, */) ?? null,
    expiresAt: expires ? `${expires[1]}T${expires[2]}Z` : null,
  };
}

function stale(owner: Authentication, reason: string): Authentication {
  return { ...owner, warning: `${reason} The token was good within the last 24 hours.` };
}

function notMember(organizations: readonly string[]): string {
  const of = organizations.join(' or ');
  return `this server is for members of ${of}; if you are one, your token may lack the scope read:org (gh auth refresh --scopes read:org)`;
}

function isOutage(error: unknown): error is NexusError {
  return error instanceof NexusError && (error.code === 'github_unreachable' || error.code === 'github_rate_limited');
}

/** 403: a suspended account, or an address that the Enterprise does not let in; GitHub says which. */
function refusal(status: number, body: unknown): NexusError {
  if (status === 401) return unauthorized('GitHub does not accept the token; it may have expired or been revoked');
  return unauthorized(`GitHub answers ${status} "${messageOf(body)}" to the token`);
}

function unauthorized(reason: string): NexusError {
  return new NexusError('unauthorized', { reason });
}
