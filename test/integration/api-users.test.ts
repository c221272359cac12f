import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NexusError } from '../../src/contract/errors.ts';
import { createApiWorld } from '../support/api-world.ts';
import type { ApiWorld } from '../support/api-world.ts';
import { insertUser } from '../../src/server/store/users.ts';
import { publicKeys } from '../support/public-keys.ts';

const { ed25519, ecdsa, rsa } = publicKeys;
type Key = { line: string; fingerprint: string };

function registration(key: Key, user = 'alice', githubId = 1001) {
  return { github_username: user, github_id: githubId, ssh_pubkey: key.line, ssh_pubkey_fingerprint: key.fingerprint };
}

function change(key: Key) {
  return { ssh_pubkey: key.line, ssh_pubkey_fingerprint: key.fingerprint };
}

const repo = { owner: 'o', name: 'r' };

async function runningWorkspace(world: ApiWorld): Promise<string> {
  const { workspace_id } = await world.client().call('createWorkspace', { body: { workspace_name: 'w', repo } });
  await world.settle(workspace_id);
  return workspace_id;
}

test('who the token belongs to is told before and after registration', async () => {
  await using world = await createApiWorld();
  const client = world.client('bob');
  const bob = { github_username: 'bob', github_id: 1002, admin: false };
  assert.deepEqual(await client.call('whoAmI'), { ...bob, registered: false });
  await client.call('createWorkspace', { body: { workspace_name: 'w', repo } });
  assert.deepEqual(await client.call('whoAmI'), { ...bob, registered: false });
  await client.call('registerUser', { body: registration(ed25519, 'bob', 1002) });
  assert.deepEqual(await client.call('whoAmI'), { ...bob, registered: true });
});

test('a user who changed their name is the same user', async () => {
  await using world = await createApiWorld();
  const key = { ssh_pubkey: ed25519.line, ssh_pubkey_fingerprint: ed25519.fingerprint };
  await world.store.transaction(async (tx) => {
    await insertUser(tx, { id: 'user-renamed00000', github_username: 'alicia', github_id: 1001, ...key });
    await insertUser(tx, { id: 'user-forgotten000', github_username: 'alice', github_id: 9, ...key });
  });
  const user = await world.client().call('getUser', { params: { username: 'alice' } });
  assert.equal(user.user_id, 'user-renamed00000');
});

test('a user registers once, and gets their workspaces', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const user = await client.call('registerUser', { body: registration(ed25519) });
  const { user_id } = user;
  assert.match(user_id, /^user-[a-z0-9]{12}$/);
  const view = {
    user_id,
    github_username: 'alice',
    ssh_pubkey_fingerprint: ed25519.fingerprint,
    registered_at: '2026-01-17T10:00:00.000Z',
  };
  assert.deepEqual(user, { ...view, workspaces: [] });
  const again = (key: Key): Promise<unknown> => client.call('registerUser', { body: registration(key) });
  await assert.rejects(again(ed25519), {
    code: 'user_already_registered',
    details: { user_id, github_username: 'alice', same_key: true },
  });
  await assert.rejects(again(rsa), {
    code: 'user_already_registered',
    details: { user_id, github_username: 'alice', same_key: false },
  });
  const id = await runningWorkspace(world);
  assert.deepEqual(await client.call('getUser', { params: { username: 'alice' } }), { ...view, workspaces: [id] });
  assert.equal(world.asked.includes(`keys ${user_id}`), false);
});

test('workspaces of somebody without a key get the key at registration', async () => {
  await using world = await createApiWorld();
  await runningWorkspace(world);
  const response = await fetch(`${world.baseUrl}/api/v1/users/register`, {
    method: 'POST',
    headers: { authorization: 'Bearer token-alice', 'content-type': 'application/json' },
    body: JSON.stringify(registration(ecdsa)),
  });
  assert.equal(response.status, 201);
  const { user_id } = (await response.json()) as { user_id: string };
  assert.equal(world.asked.at(-1), `keys ${user_id}`);
});

test('the name of the key file is that of the key', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await runningWorkspace(world);
  const file = async (): Promise<string> => (await client.call('getWorkspace', { params: { id } })).ssh.key_required;
  assert.equal(await file(), '~/.ssh/id_ed25519');
  const files = {
    'ssh-rsa': 'id_rsa',
    'ecdsa-sha2-nistp256': 'id_ecdsa',
    'sk-ssh-ed25519@openssh.com': 'id_ed25519_sk',
    'sk-ecdsa-sha2-nistp256@openssh.com': 'id_ecdsa_sk',
  };
  for (const [type, expected] of Object.entries(files)) {
    await world.store.transaction((tx) =>
      tx
        .updateTable('users')
        .set({ ssh_pubkey: `${type} AAAA` })
        .execute(),
    );
    assert.equal(await file(), `~/.ssh/${expected}`);
  }
});

test('a new key is stored and sent to the running workspaces', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const { user_id } = await client.call('registerUser', { body: registration(ed25519) });
  const user = await client.call('updateSshKey', { params: { username: 'alice' }, body: change(rsa) });
  assert.equal(user.ssh_pubkey_fingerprint, rsa.fingerprint);
  assert.deepEqual(world.asked, [`keys ${user_id}`]);
  const { ssh_pubkey } = await world.store.db.selectFrom('users').select('ssh_pubkey').executeTakeFirstOrThrow();
  assert.equal(ssh_pubkey, rsa.line.split(' ').slice(0, 2).join(' '));
});

test('a key that a node did not take is stored, and the failure told', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  await client.call('registerUser', { body: registration(ed25519) });
  world.reconciler.keysChanged = async () => {
    throw new NexusError('node_unreachable', { node: 'node-1' });
  };
  const params = { username: 'alice' };
  await assert.rejects(client.call('updateSshKey', { params, body: change(rsa) }), { code: 'node_unreachable' });
  assert.equal((await client.call('getUser', { params })).ssh_pubkey_fingerprint, rsa.fingerprint);
});

test('a key that takes more than 5 seconds is told too', async (t) => {
  await using world = await createApiWorld();
  const client = world.client();
  await client.call('registerUser', { body: registration(ed25519) });
  t.mock.timers.enable({ apis: ['setTimeout'] });
  world.reconciler.keysChanged = () => {
    queueMicrotask(() => t.mock.timers.tick(5_000));
    return new Promise(() => undefined);
  };
  const late = client.call('updateSshKey', { params: { username: 'alice' }, body: change(rsa) });
  await assert.rejects(late, {
    code: 'timeout',
    message: 'Giving the new key to the running workspaces took longer than 5 s.',
  });
});

const privateKey = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----';
const bad: readonly [name: string, body: object, code: string, message: RegExp][] = [
  ['a private key', { ssh_pubkey: privateKey }, 'invalid_request', /ssh_pubkey: is a private key; keep it to yourself/],
  ['a damaged key', { ssh_pubkey: 'ssh-ed25519 AAAA' }, 'invalid_request', /ssh_pubkey: is cut off or damaged/],
  [
    'the fingerprint of another key',
    { ssh_pubkey_fingerprint: rsa.fingerprint },
    'invalid_request',
    /ssh_pubkey_fingerprint: is of another key; this one's is SHA256:Zyesx/,
  ],
  [
    'no fingerprint at all',
    { ssh_pubkey_fingerprint: 'MD5:00' },
    'invalid_request',
    /ssh_pubkey_fingerprint: must be SHA256:/,
  ],
  ['an id of 0', { github_id: 0 }, 'invalid_request', /github_id: must be more than 0/],
  ['another name', { github_username: 'bob' }, 'forbidden', /the token is alice's, not bob's/],
  ['another id', { github_id: 7 }, 'forbidden', /the token is of the user with the id 1001, not 7/],
];
for (const [name, body, code, message] of bad) {
  test(`a registration is refused: ${name}`, async () => {
    await using world = await createApiWorld();
    const client = world.client();
    await assert.rejects(client.call('registerUser', { body: { ...registration(ed25519), ...body } }), {
      code,
      message,
    });
    assert.equal((await client.call('whoAmI')).registered, false);
  });
}

test("somebody else's account does not exist, except for administrators", async () => {
  await using world = await createApiWorld();
  await world.client('alice').call('registerUser', { body: registration(ed25519) });
  await world.client('bob').call('registerUser', { body: registration(rsa, 'bob', 1002) });
  const missing = { code: 'not_found', message: 'There is no user alice.' };
  const params = { username: 'alice' };
  await assert.rejects(world.client('bob').call('getUser', { params }), missing);
  await assert.rejects(world.client('bob').call('updateSshKey', { params, body: change(rsa) }), missing);
  await assert.rejects(world.client('alice').call('getUser', { params: { username: 'nobody' } }), {
    code: 'not_found',
  });
  assert.equal((await world.client('alice').call('getUser', { params: { username: 'bob' } })).github_username, 'bob');
});
