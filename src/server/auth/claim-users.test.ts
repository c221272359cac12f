import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverConfig } from '../../contract/server-config.ts';
import { findGitCredential, keepGitCredential } from '../store/git-credentials.ts';
import { findSeenToken, keepSeenToken } from '../store/seen-tokens.ts';
import { openStore } from '../store/store.ts';
import { findUserByName, insertUser } from '../store/users.ts';
import { insertWorkspace } from '../store/workspaces.ts';
import { claimUsers } from './claim-users.ts';

const local = serverConfig.parse({});
const github = serverConfig.parse({ auth: { mode: 'github' } });
const enterprise = serverConfig.parse({
  auth: { mode: 'github' },
  github: { api_url: 'https://git.example.com/api/v3' },
});
const oidc = serverConfig.parse({ auth: { mode: 'oidc', oidc: { issuer: 'https://a.example', audience: 'x' } } });
const alice = {
  id: 'user-a',
  github_username: 'alice',
  github_id: 1001,
  ssh_pubkey: null,
  ssh_pubkey_fingerprint: null,
};

test("another source's users are never taken for these: they are forgotten, or the start is refused", async () => {
  await using store = await openStore(':memory:', { now: () => new Date('2026-01-17T10:00:00Z') });
  await store.transaction((tx) => insertUser(tx, alice));
  // A folder of before the setting is of local mode.
  await claimUsers(store, local);
  assert.ok(await findUserByName(store.db, 'alice'));
  await claimUsers(store, github);
  assert.equal(await findUserByName(store.db, 'alice'), undefined);
  await store.transaction(async (tx) => {
    await insertUser(tx, alice);
    const workspace = { want: 'running', status: 'pending', provider: 'lxc', image: 'x', request_json: '{}' } as const;
    await insertWorkspace(tx, {
      id: 'ws-aaaaaaaaaaaa',
      owner_id: 'user-a',
      name: 'a',
      packages_json: '[]',
      ...workspace,
    });
  });
  await claimUsers(store, github);
  for (const other of [local, enterprise, oidc])
    await assert.rejects(claimUsers(store, other), {
      code: 'config_invalid',
      message: /auth\.mode: data_dir has 1 workspaces of users of "github https:\/\/api\.github\.com\/"/,
    });
  await claimUsers(store, github);
  assert.ok(await findUserByName(store.db, 'alice'));
});

test("another source's tokens count for nothing here", async () => {
  await using store = await openStore(':memory:', { now: () => new Date('2026-01-17T10:00:00Z') });
  await claimUsers(store, github);
  await store.transaction(async (tx) => {
    await insertUser(tx, alice);
    await keepSeenToken(tx, { token_hash: 'x', github_id: 1001, login: 'alice' }, { keptSince: '' });
    const none = { name: null, email: null, sealed_renewal: null, expires_at: null };
    await keepGitCredential(tx, { github_id: 1001, login: 'alice', sealed_token: 's', token_hash: 'x', ...none });
  });
  await claimUsers(store, github);
  assert.ok(await findSeenToken(store.db, 'x'));
  await claimUsers(store, enterprise);
  assert.equal(await findSeenToken(store.db, 'x'), undefined);
  assert.equal(await findGitCredential(store.db, 1001), undefined);
});

test('a folder of before the setting with users does not become that of GitHub', async () => {
  await using store = await openStore(':memory:', { now: () => new Date('2026-01-17T10:00:00Z') });
  await store.transaction((tx) => insertUser(tx, alice));
  await claimUsers(store, github);
  assert.equal(await findUserByName(store.db, 'alice'), undefined);
});
