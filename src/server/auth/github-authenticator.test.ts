import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NexusError } from '../../contract/errors.ts';
import { openStore } from '../store/store.ts';
import type { Store } from '../store/store.ts';
import type { SeenGithubToken } from '../git-credentials/git-lender.ts';
import type { Authenticator } from './authenticator.ts';
import { createGithubAuthenticator } from './github-authenticator.ts';

const minute = 60_000;
const hour = 60 * minute;
const token = `gho_${'a'.repeat(36)}`;
const alice = { githubUsername: 'Alice', githubId: 7, admin: true };
const down = new NexusError('github_unreachable', { reason: 'the connection failed' });
const limited = new NexusError('github_rate_limited', { reset_at: '2026-01-17T11:00:00.000Z' });

type Scene = AsyncDisposable & {
  readonly store: Store;
  readonly folder: string;
  readonly authenticator: Authenticator;
  /** What GitHub answers from now on. */
  github: { status: number; body: unknown; headers?: Headers } | NexusError;
  /** What the lender was told: of good tokens all, of refused ones their hashes. */
  readonly lent: (SeenGithubToken | string)[];
  /** How often it was asked. */
  asked: number;
  pass(ms: number): void;
  /** Another server on the same database. */
  restarted(): Authenticator;
};

async function createScene(): Promise<Scene> {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-github-'));
  const clock = { now: Date.parse('2026-01-17T10:00:00.000Z') };
  const now = (): Date => new Date(clock.now);
  const store = await openStore(join(folder, 'nexus.db'), { now });
  const create = (): Authenticator =>
    createGithubAuthenticator({
      store,
      now,
      admins: ['alice'],
      organizations: [],
      lender: { take: async (seen) => void lent.push(seen), refuse: async (refused) => void lent.push(refused) },
      github: {
        async get(path) {
          assert.equal(path, '/user');
          scene.asked += 1;
          if (scene.github instanceof NexusError) throw scene.github;
          return { headers: new Headers(), ...scene.github };
        },
      },
    });
  const lent: Scene['lent'] = [];
  const scene: Scene = {
    lent,
    store,
    folder,
    authenticator: create(),
    github: { status: 200, body: { id: 7, login: 'Alice', name: 'ignored' } },
    asked: 0,
    pass(ms) {
      clock.now += ms;
    },
    restarted: create,
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true });
    },
  };
  return scene;
}

test('a good answer counts for 5 minutes, also for another server', async () => {
  await using scene = await createScene();
  assert.deepEqual(await scene.authenticator.authenticate(token), alice);
  scene.pass(5 * minute - 1);
  assert.deepEqual(await scene.restarted().authenticate(token), alice);
  assert.equal(scene.asked, 1);
  scene.pass(1);
  scene.github = { status: 200, body: { id: 7, login: 'al1ce' } };
  const renamed = await scene.authenticator.authenticate(token);
  assert.deepEqual([scene.asked, renamed], [2, { githubUsername: 'al1ce', githubId: 7, admin: false }]);
});

test('git is lent what GitHub says of a good token, and a refused one no more', async () => {
  await using scene = await createScene();
  const headers = new Headers({
    'x-oauth-scopes': 'repo, read:org',
    'github-authentication-token-expiration': '2026-02-01 12:30:00 UTC',
  });
  scene.github = { status: 200, body: { id: 7, login: 'Alice', name: 'Alice A.', email: 'a@example.com' }, headers };
  await scene.authenticator.authenticate(token);
  const expected = { token, githubId: 7, login: 'Alice', name: 'Alice A.', email: 'a@example.com' };
  assert.deepEqual(scene.lent, [{ ...expected, scopes: ['repo', 'read:org'], expiresAt: '2026-02-01T12:30:00Z' }]);
  scene.pass(5 * minute);
  scene.github = { status: 401, body: {} };
  await assert.rejects(scene.authenticator.authenticate(token));
  assert.equal(scene.lent[1], createHash('sha256').update(token).digest('hex'));
});

test('requests that come at once ask once', async () => {
  await using scene = await createScene();
  await Promise.all(Array.from({ length: 20 }, () => scene.authenticator.authenticate(token)));
  assert.equal(scene.asked, 1);
});

test('a token that GitHub refuses is refused at once, and not asked about again for 30 seconds', async () => {
  await using scene = await createScene();
  scene.github = { status: 401, body: { message: 'Bad credentials' } };
  const refused = { code: 'unauthorized', message: /GitHub does not accept the token/ };
  await assert.rejects(scene.authenticator.authenticate(token), refused);
  await assert.rejects(scene.authenticator.authenticate(token), refused);
  assert.equal(scene.asked, 1);
  scene.pass(30_000);
  scene.github = { status: 200, body: { id: 7, login: 'Alice' } };
  assert.deepEqual(await scene.authenticator.authenticate(token), alice);
});

test('a revoked token is not saved by having been good, nor by an outage after that', async () => {
  await using scene = await createScene();
  await scene.authenticator.authenticate(token);
  scene.pass(5 * minute);
  scene.github = { status: 401, body: {} };
  await assert.rejects(scene.authenticator.authenticate(token), { code: 'unauthorized' });
  scene.github = down;
  await assert.rejects(scene.restarted().authenticate(token), { code: 'github_unreachable' });
});

for (const outage of [down, limited]) {
  test(`${outage.code}: a token seen good within 24 hours works with a warning, also after a restart`, async () => {
    await using scene = await createScene();
    await scene.authenticator.authenticate(token);
    scene.github = outage;
    scene.pass(24 * hour - 1);
    const { warning, ...owner } = await scene.restarted().authenticate(token);
    assert.deepEqual(owner, alice);
    assert.equal(warning, `${outage.message} The token was good within the last 24 hours.`);
    scene.pass(1);
    await assert.rejects(scene.authenticator.authenticate(token), { code: outage.code });
    await assert.rejects(scene.authenticator.authenticate(`gho_${'b'.repeat(36)}`), { code: outage.code });
  });
}

test('during an outage GitHub is asked every 15 seconds, by one request, and the rest go on at once', async () => {
  await using scene = await createScene();
  const other = `gho_${'c'.repeat(36)}`;
  await scene.authenticator.authenticate(token);
  await scene.authenticator.authenticate(other);
  scene.github = down;
  scene.pass(5 * minute);
  const ask = async (): Promise<number> => {
    const before = scene.asked;
    await Promise.all([token, other, token].map((one) => scene.authenticator.authenticate(one)));
    return scene.asked - before;
  };
  await scene.authenticator.authenticate(token);
  assert.equal(await ask(), 0);
  scene.pass(15_000);
  assert.equal(await ask(), 1);
  scene.pass(15_000);
  scene.github = { status: 200, body: { id: 7, login: 'Alice' } };
  await scene.authenticator.authenticate(token);
  assert.deepEqual(await scene.authenticator.authenticate(other), alice, 'the outage is over for everybody');
});

test('other refusals are told in the words of GitHub', async () => {
  await using scene = await createScene();
  scene.github = { status: 403, body: { message: 'Sorry. Your account was suspended.' } };
  await assert.rejects(scene.authenticator.authenticate(token), {
    code: 'unauthorized',
    message: /GitHub answers 403 "Sorry\. Your account was suspended\."/,
  });
  scene.github = { status: 200, body: { hello: 'world' } };
  scene.pass(30_000);
  await assert.rejects(scene.authenticator.authenticate(token), { code: 'github_unreachable' });
});

test('what is no token of GitHub is not sent there', async () => {
  await using scene = await createScene();
  for (const wrong of ['x', `nxl_${'a'.repeat(43)}`, 'gho_short', `ghp_${'a'.repeat(300)}`, 'eyJh.eyJp.c2ln'])
    await assert.rejects(scene.authenticator.authenticate(wrong), { code: 'unauthorized' });
  assert.equal(scene.asked, 0);
  for (const kind of [`github_pat_${'A'.repeat(82)}`, `ghp_${'A'.repeat(36)}`, 'a'.repeat(40)])
    await scene.authenticator.authenticate(kind);
  assert.equal(scene.asked, 3);
});

test('after a hundred wrong tokens GitHub hears of no new ones for a while, and of known ones still', async () => {
  await using scene = await createScene();
  await scene.authenticator.authenticate(token);
  scene.github = { status: 401, body: {} };
  const wrong = (number: number): string => `gho_${String(number).padStart(36, '0')}`;
  for (let number = 0; number < 100; number++)
    await assert.rejects(scene.authenticator.authenticate(wrong(number)), { code: 'unauthorized' });
  await assert.rejects(scene.authenticator.authenticate(wrong(100)), { code: 'rate_limited' });
  assert.equal(scene.asked, 101);
  assert.deepEqual(await scene.authenticator.authenticate(token), alice);
  scene.pass(30_000);
  scene.github = { status: 200, body: { id: 7, login: 'Alice' } };
  assert.deepEqual(await scene.authenticator.authenticate(wrong(100)), alice);
});

test('the token is nowhere on disk, and hashes of before yesterday are forgotten', async () => {
  await using scene = await createScene();
  await scene.authenticator.authenticate(token);
  for (const name of readdirSync(scene.folder))
    assert.equal(readFileSync(join(scene.folder, name)).includes(token), false, name);
  scene.pass(25 * hour);
  await scene.authenticator.authenticate(`gho_${'d'.repeat(36)}`);
  assert.equal((await scene.store.db.selectFrom('seen_tokens').selectAll().execute()).length, 1);
});
