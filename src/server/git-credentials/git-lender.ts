/**
 * Lends the tokens of people to the nodes that hold their workspaces, so that git there works as its owner at any time.
 * The newest token with which somebody signed in counts. A node is told all that it is lent, each time anew.
 */
import { isDeepStrictEqual } from 'node:util';
import type { GitCredential } from '../../contract/control-protocol.ts';
import type { Logger } from '../../lib/log.ts';
import { createRecentSet } from '../auth/recent-set.ts';
import type { Hub } from '../control/hub.ts';
import type { GithubGrant } from '../github/exchange-code.ts';
import type { GithubApi } from '../github/github-api.ts';
import {
  credentialsOnNode,
  dropGitToken,
  findGitCredential,
  findGitCredentialOf,
  findGithubIdOfToken,
  keepGitCredential,
  nodesOfGithubUser,
  type LentCredential,
} from '../store/git-credentials.ts';
import type { Store } from '../store/store.ts';
import type { Sealer } from './sealer.ts';
import { createTokenSeal, hashOf } from './token-seal.ts';

/** A token that GitHub just said whose it is. */
export type SeenGithubToken = {
  readonly token: string;
  readonly githubId: number;
  readonly login: string;
  /** As they are shown on GitHub; null when they are not. */
  readonly name: string | null;
  readonly email: string | null;
  /** Of a classic or an OAuth token; null: it has permissions of another kind. */
  readonly scopes: readonly string[] | null;
  /** RFC 3339; null when GitHub says nothing of it. */
  readonly expiresAt: string | null;
};

export type GitLender = Disposable & {
  /** Takes the token in place of the one before, where git can work with it. */
  take(seen: SeenGithubToken): Promise<void>;
  /** GitHub does not accept the token with this SHA-256 (hex) any more. */
  refuse(tokenHash: string): Promise<void>;
  /** A token that GitHub just gave, and that will soon be brought by whom it is for. */
  expect(grant: GithubGrant): void;
  /** Renews the tokens that end soon. */
  renewEnding(): Promise<void>;
  /** Returns when what the node is lent is on its way to it. */
  lendTo(node: string): Promise<void>;
};

export type GitLenderParts = {
  readonly store: Store;
  readonly sealer: Sealer;
  readonly github: Pick<GithubApi, 'get'>;
  readonly hub: Pick<Hub, 'events' | 'sendGitCredentials'>;
  /** Null: there is no app that could. */
  readonly renew: ((refreshToken: string) => Promise<GithubGrant>) | null;
  /** Of the GitHub that the tokens are for: `https://github.com`. */
  readonly webUrl: string;
  readonly log: Logger;
  readonly now: () => Date;
};

/** With one of them, or without any (another kind of token), git can push. */
const pushScopes = ['repo', 'public_repo'];
/** A workspace that says again and again that its token is refused makes GitHub be asked so often at most. */
const recheckEveryMs = 60_000;

export function createGitLender({ store, sealer, github, renew, hub, webUrl, log, now }: GitLenderParts): GitLender {
  const sent = new Map<string, readonly GitCredential[]>();
  const tokens = createTokenSeal({ store, sealer, renew, log, now });
  const rechecked = createRecentSet({ forMs: recheckEveryMs, most: 10_000, now });

  async function lendTo(node: string): Promise<void> {
    const lent = gather(await credentialsOnNode(store.db, node), sealer, webUrl);
    if (isDeepStrictEqual(sent.get(node), lent)) return;
    if (hub.sendGitCredentials(node, lent)) sent.set(node, lent);
  }
  async function lendAnew(githubId: number): Promise<void> {
    for (const node of await nodesOfGithubUser(store.db, githubId)) await lendTo(node);
  }
  async function drop(githubId: number, tokenHash: string): Promise<void> {
    if (await store.transaction((tx) => dropGitToken(tx, tokenHash))) await lendAnew(githubId);
  }

  async function recheck(workspaceId: string): Promise<void> {
    const row = await findGitCredentialOf(store.db, workspaceId);
    const token = row?.sealed_token ? sealer.open(row.sealed_token, String(row.github_id)) : null;
    if (!row?.token_hash || token === null || rechecked.has(row.token_hash)) return;
    rechecked.add(row.token_hash);
    const { status } = await github.get('/user', token);
    if (status === 401) await drop(row.github_id, row.token_hash);
  }

  const stopListening = hub.events.listen((event) => {
    if (event.type === 'connected' && event.role === 'agent') {
      sent.delete(event.name);
      lendTo(event.name).catch((error: unknown) => log.error({ err: error }, 'a node could not be lent what it needs'));
    }
    if (event.type === 'git_rejected')
      recheck(event.workspaceId).catch((error: unknown) => log.warn({ err: error }, 'a token could not be checked'));
  });

  return {
    lendTo,
    async take({ token, scopes, githubId, login, name, email, expiresAt }) {
      const known = await findGitCredential(store.db, githubId);
      const isNew = canPush(scopes) && (known?.token_hash !== hashOf(token) || known.sealed_token === null);
      const { sealed_token = null, token_hash = null, sealed_renewal = null, expires_at = null } = known ?? {};
      const credential = isNew
        ? tokens.seal(githubId, token, expiresAt)
        : { sealed_token, token_hash, sealed_renewal, expires_at };
      const row = { github_id: githubId, login, name, email, ...credential };
      if (isDeepStrictEqual(row, { ...known })) return;
      await store.transaction((tx) => keepGitCredential(tx, row));
      await lendAnew(githubId);
    },
    expect: (grant) => tokens.expect(grant),
    async renewEnding() {
      for (const githubId of await tokens.renewEnding()) await lendAnew(githubId);
    },
    async refuse(tokenHash) {
      const githubId = await findGithubIdOfToken(store.db, tokenHash);
      if (githubId !== undefined) await drop(githubId, tokenHash);
    },
    [Symbol.dispose]: stopListening,
  };
}

function canPush(scopes: readonly string[] | null): boolean {
  return scopes === null || scopes.some((scope) => pushScopes.includes(scope));
}

/** One entry for each owner. What cannot be opened (another key) is as if it were not there. */
function gather(rows: readonly LentCredential[], sealer: Sealer, webUrl: string): GitCredential[] {
  return [...Map.groupBy(rows, (row) => row.github_id).values()].flatMap((of) => {
    const [row] = of;
    const token = row?.sealed_token ? sealer.open(row.sealed_token, String(row.github_id)) : null;
    if (!row || token === null) return [];
    const workspaces = of.map(({ workspace_id }) => workspace_id);
    return [{ host: new URL(webUrl).origin, username: row.login, token, expires_at: row.expires_at, workspaces }];
  });
}
