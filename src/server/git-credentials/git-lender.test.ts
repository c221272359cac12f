import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NexusError } from '../../contract/errors.ts';
import type { GitCredential } from '../../contract/control-protocol.ts';
import { silentLog } from '../../../test/support/silent-log.ts';
import type { GithubGrant } from '../github/exchange-code.ts';
import { createPeerEvents, type PeerEvents } from '../control/peer-events.ts';
import { openStore, type Store } from '../store/store.ts';
import { insertUser } from '../store/users.ts';
import { createGitLender, type GitLender, type SeenGithubToken } from './git-lender.ts';
import { openSealer } from './sealer.ts';

const minute = 60_000;

type Scene = AsyncDisposable & {
  readonly store: Store;
  readonly folder: string;
  readonly lender: GitLender;
  readonly events: PeerEvents;
  /** What each node was told, in order. */
  readonly told: { node: string; credentials: readonly GitCredential[] }[];
  /** Nodes that are not there to be told. */
  readonly away: Set<string>;
  /** What GitHub answers to `GET /user`, and how often it was asked. */
  readonly github: { status: number; asked: number };
  /** What GitHub answers to refresh tokens, and which it was asked. */
  readonly renewal: { outcome: GithubGrant | NexusError; readonly asked: string[] };
  pass(ms: number): void;
};

async function createScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-lender-'));
  const clock = { now: Date.parse('2026-01-17T10:00:00.000Z') };
  const now = (): Date => new Date(clock.now);
  const store = await openStore(join(folder, 'nexus.db'), { now });
  const events = createPeerEvents();
  const told: Scene['told'] = [];
  const away = new Set<string>();
  const github = { status: 200, asked: 0 };
  const renewal: Scene['renewal'] = { outcome: new NexusError('github_unreachable', { reason: 'x' }), asked: [] };
  const lender = createGitLender({
    store,
    sealer: await openSealer(join(folder, 'credentials.key')),
    github: {
      async get() {
        github.asked += 1;
        return { status: github.status, body: {}, headers: new Headers() };
      },
    },
    async renew(refreshToken) {
      renewal.asked.push(refreshToken);
      if (renewal.outcome instanceof NexusError) throw renewal.outcome;
      return renewal.outcome;
    },
    hub: {
      events,
      sendGitCredentials(node, credentials) {
        if (away.has(node)) return false;
        told.push({ node, credentials });
        return true;
      },
    },
    webUrl: 'https://github.com',
    log: silentLog,
    now,
  });
  await store.transaction(async (tx) => {
    for (const [name, id] of [
      ['alice', 7],
      ['bob', 8],
    ] as const)
      await insertUser(tx, {
        id: `user-${name}`,
        github_username: name,
        github_id: id,
        ssh_pubkey: null,
        ssh_pubkey_fingerprint: null,
      });
    await tx
      .insertInto('workspaces')
      .values(
        [
          { id: 'ws-a1', owner_id: 'user-alice', node: 'one' },
          { id: 'ws-a2', owner_id: 'user-alice', node: 'two' },
          { id: 'ws-b1', owner_id: 'user-bob', node: 'one' },
          { id: 'ws-a3', owner_id: 'user-alice', node: null },
        ].map((row) => ({
          ...row,
          name: row.id,
          want: 'running' as const,
          status: 'running',
          provider: 'lxc',
          image: 'debian:12',
          request_json: '{}',
          created_at: tx.at,
          updated_at: tx.at,
          wanted_at: tx.at,
        })),
      )
      .execute();
  });
  return {
    store,
    folder,
    lender,
    events,
    told,
    away,
    github,
    renewal,
    pass(ms) {
      clock.now += ms;
    },
    async [Symbol.asyncDispose]() {
      lender[Symbol.dispose]();
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
}

const alice: SeenGithubToken = {
  token: 'gho_alices',
  githubId: 7,
  login: 'alice',
  name: 'Alice A.',
  email: null,
  scopes: ['repo'],
  expiresAt: null,
};
const hash = createHash('sha256').update(alice.token).digest('hex');
const lent = { host: 'https://github.com', username: 'alice', token: 'gho_alices', expires_at: null };

/** The credentials that the node was told last. */
function last({ told }: Scene, node: string): readonly GitCredential[] | undefined {
  return told.findLast((one) => one.node === node)?.credentials;
}

test('each node is lent what its workspaces need, and nothing of others', async () => {
  await using scene = await createScene();
  await scene.lender.take(alice);
  await scene.lender.take({ ...alice, githubId: 8, login: 'bob', token: 'gho_bobs' });
  assert.deepEqual(last(scene, 'one'), [
    { ...lent, workspaces: ['ws-a1'] },
    { ...lent, username: 'bob', token: 'gho_bobs', workspaces: ['ws-b1'] },
  ]);
  assert.deepEqual(last(scene, 'two'), [{ ...lent, workspaces: ['ws-a2'] }]);
});

test('a node is told again only what is new, and all of it when it comes back', async () => {
  await using scene = await createScene();
  await scene.lender.take(alice);
  const told = scene.told.length;
  await scene.lender.take(alice);
  await scene.lender.lendTo('one');
  assert.equal(scene.told.length, told);
  scene.events.emit({ type: 'connected', role: 'agent', name: 'one', version: '1' });
  await scene.lender.lendTo('one');
  assert.ok(scene.told.length > told);
});

test('one that is away is told when it is there', async () => {
  await using scene = await createScene();
  scene.away.add('one');
  await scene.lender.take(alice);
  assert.equal(last(scene, 'one'), undefined);
  scene.away.clear();
  await scene.lender.lendTo('one');
  assert.equal(last(scene, 'one')?.length, 1);
});

test('the newest token counts, unless git could not push with it', async () => {
  await using scene = await createScene();
  await scene.lender.take(alice);
  await scene.lender.take({ ...alice, token: 'gho_weak', scopes: ['read:user'], email: 'a@example.com' });
  assert.equal(last(scene, 'two')?.[0]?.token, 'gho_alices');
  await scene.lender.take({ ...alice, token: 'github_pat_new', scopes: null, expiresAt: '2026-02-01T00:00:00Z' });
  assert.deepEqual(last(scene, 'two'), [
    { ...lent, token: 'github_pat_new', expires_at: '2026-02-01T00:00:00Z', workspaces: ['ws-a2'] },
  ]);
});

test('a token that GitHub refuses is lent no more, until there is another', async () => {
  await using scene = await createScene();
  await scene.lender.take(alice);
  await scene.lender.refuse('0'.repeat(64));
  assert.equal(last(scene, 'two')?.length, 1);
  await scene.lender.refuse(hash);
  assert.deepEqual(last(scene, 'two'), []);
  await scene.lender.take(alice);
  assert.equal(last(scene, 'two')?.length, 1, 'GitHub accepts it again');
});

test('what a workspace calls refused is asked of GitHub, once a minute at most', async () => {
  await using scene = await createScene();
  await scene.lender.take(alice);
  const rejected = async (workspaceId: string): Promise<void> => {
    const asked = scene.github.asked;
    scene.events.emit({ type: 'git_rejected', node: 'one', workspaceId });
    for (let turn = 0; turn < 20 && scene.github.asked === asked; turn += 1) await new Promise(setImmediate);
  };
  await rejected('ws-a1');
  await rejected('ws-a1');
  assert.equal(scene.github.asked, 1);
  assert.equal(last(scene, 'one')?.length, 1, 'GitHub says that it is good');
  scene.pass(minute);
  scene.github.status = 401;
  await rejected('ws-a2');
  while (last(scene, 'two')?.length !== 0) await new Promise(setImmediate);
  assert.equal(scene.github.asked, 2);
  await rejected('ws-b1');
  assert.equal(scene.github.asked, 2, 'bob has no token');
});

test('a token that ends is renewed in time, again and again, over an outage of GitHub', async () => {
  await using scene = await createScene();
  const { lender, renewal } = scene;
  lender.expect({ token: alice.token, scope: '', renewal: { refreshToken: 'ghr_1', expiresInSeconds: 8 * 3600 } });
  await lender.take({ ...alice, scopes: null });
  assert.deepEqual(last(scene, 'two'), [{ ...lent, expires_at: '2026-01-17T18:00:00.000Z', workspaces: ['ws-a2'] }]);
  scene.pass(7.4 * 60 * minute);
  await lender.renewEnding();
  assert.deepEqual(renewal.asked, [], 'it is good for long');

  scene.pass(10 * minute);
  renewal.outcome = new NexusError('github_unreachable', { reason: 'down' });
  await lender.renewEnding();
  renewal.outcome = { token: 'ghu_2', scope: '', renewal: { refreshToken: 'ghr_2', expiresInSeconds: 8 * 3600 } };
  await lender.renewEnding();
  await lender.renewEnding();
  assert.deepEqual(renewal.asked, ['ghr_1', 'ghr_1']);
  const expires_at = '2026-01-18T01:34:00.000Z';
  assert.deepEqual(last(scene, 'two'), [{ ...lent, token: 'ghu_2', expires_at, workspaces: ['ws-a2'] }]);

  scene.pass(8 * 60 * minute);
  renewal.outcome = new NexusError('unauthorized', { reason: 'GitHub says "bad_refresh_token"' });
  await lender.renewEnding();
  await lender.renewEnding();
  assert.deepEqual(renewal.asked, ['ghr_1', 'ghr_1', 'ghr_2'], 'what GitHub refuses is not tried again');
});

test('no file of the database has a token in clear', async () => {
  await using scene = await createScene();
  await scene.lender.take(alice);
  for (const name of readdirSync(scene.folder)) {
    const text = readFileSync(join(scene.folder, name), 'latin1');
    assert.ok(!text.includes('alices'), name);
    assert.ok(!text.includes(Buffer.from('gho_alices').toString('base64').slice(0, 12)), name);
  }
});
