/** The API in GitHub mode, against a GitHub (Enterprise Server) that can be steered. */
import assert from 'node:assert/strict';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { createGithubWorld } from '../support/github-world.ts';
import type { GithubWorld } from '../support/github-world.ts';
import { publicKeys } from '../support/public-keys.ts';

const minute = 60_000;

function usersAsked({ github }: GithubWorld): number {
  return github.seen.filter(({ path }) => path === '/api/v3/user').length;
}

test('people register as whom GitHub knows them, and administrators are told by their names', async () => {
  await using scene = await createGithubWorld();
  const me = await scene.as('alice').call('whoAmI');
  assert.deepEqual([me.github_username, me.admin, me.registered], ['alice', false, false]);
  assert.equal((await scene.as('root').call('whoAmI')).admin, true, 'in other capitals too');
  const { line, fingerprint } = publicKeys.ed25519;
  const body = {
    github_username: 'alice',
    github_id: me.github_id,
    ssh_pubkey: line,
    ssh_pubkey_fingerprint: fingerprint,
  };
  const { user_id } = await scene.as('alice').call('registerUser', { body });
  await assert.rejects(scene.as('bob').call('registerUser', { body }), { code: 'forbidden' });

  scene.github.rename('alice', 'alicia');
  scene.world.clock.now = new Date(scene.world.clock.now.getTime() + 5 * minute);
  const renamed = await scene.as('alice').call('getUser', { params: { username: 'alicia' } });
  assert.equal(renamed.user_id, user_id);
});

test('a name that its owner has given up is free for somebody else', async () => {
  await using scene = await createGithubWorld();
  const create = (user: 'alice' | 'bob') =>
    scene.as(user).call('createWorkspace', { body: { workspace_name: 'w', repo: { owner: 'my-org', name: 'shop' } } });
  await scene.github.addRepository('my-org/shop', { files: { a: '1' } });
  const { workspace_id } = await create('alice');
  scene.github.rename('alice', 'alicia');
  scene.github.rename('bob', 'alice');
  const other = await create('bob');
  assert.notEqual(other.workspace_id, workspace_id);
  await assert.rejects(scene.as('bob').call('getWorkspace', { params: { id: workspace_id } }), { code: 'not_found' });
});

test('owners see their own alone, and administrators all', async () => {
  await using scene = await createGithubWorld();
  await scene.github.addRepository('my-org/shop', { files: { a: '1' } });
  const body = { workspace_name: 'mine', repo: { owner: 'my-org', name: 'shop' } };
  const { workspace_id: id } = await scene.as('alice').call('createWorkspace', { body });
  const missing = { code: 'not_found' };
  for (const call of ['getWorkspace', 'startWorkspace', 'stopWorkspace', 'deleteWorkspace'] as const)
    await assert.rejects(scene.as('bob').call(call, { params: { id } }), missing);
  assert.equal((await scene.as('bob').call('listWorkspaces')).total, 0);
  assert.equal((await scene.as('root').call('listWorkspaces')).total, 1);
  assert.equal((await scene.as('root').call('getWorkspace', { params: { id } })).owner, 'alice');
  await assert.rejects(scene.as('alice').call('listNodes'), { code: 'forbidden' });
});

test('a bad token is refused, and one that was revoked within 5 minutes', async () => {
  await using scene = await createGithubWorld();
  const { alice } = scene.tokens;
  const bad = `gho_${'x'.repeat(36)}`;
  assert.equal((await scene.ask(bad, '/user')).status, 401);
  assert.equal((await scene.ask(alice, '/user')).status, 200);
  scene.github.revoke(alice);
  assert.equal((await scene.ask(alice, '/user')).status, 200);
  scene.world.clock.now = new Date(scene.world.clock.now.getTime() + 5 * minute);
  const revoked = await scene.ask(alice, '/user');
  assert.deepEqual([revoked.status, revoked.headers.get('www-authenticate')], [401, 'Bearer']);
  assert.match(String(revoked.body['message']), /it may have expired or been revoked/);
});

test('many requests at once are one question to GitHub', async () => {
  await using scene = await createGithubWorld();
  await Promise.all(Array.from({ length: 50 }, () => scene.ask(scene.tokens.alice, '/user')));
  assert.equal(usersAsked(scene), 1);
});

for (const kind of ['refuse', 'bad_gateway'] as const) {
  test(`GitHub is down (${kind}): who was seen goes on with a warning, others are told why not`, async () => {
    await using scene = await createGithubWorld();
    await scene.ask(scene.tokens.alice, '/user');
    scene.github.goDown(kind);
    scene.world.clock.now = new Date(scene.world.clock.now.getTime() + 23 * 60 * minute);
    const known = await scene.ask(scene.tokens.alice, '/user');
    assert.equal(known.status, 200);
    assert.match(
      known.headers.get('warning') ?? '',
      /^199 nexus "GitHub cannot be reached: .* within the last 24 hours\."$/,
    );
    const stranger = await scene.ask(scene.tokens.bob, '/user');
    assert.deepEqual([stranger.status, stranger.body['error']], [503, 'github_unreachable']);
    assert.ok(Number(stranger.headers.get('retry-after')) > 0);
    scene.github.comeBack();
    assert.equal((await scene.ask(scene.tokens.bob, '/user')).status, 200);
    assert.equal((await scene.ask(scene.tokens.alice, '/user')).headers.get('warning'), null);
  });
}

test('a rate limit of GitHub is told with its end', async () => {
  await using scene = await createGithubWorld();
  const resetAt = new Date(Math.ceil(Date.now() / 1000) * 1000 + 10 * minute);
  scene.github.limitRate({ kind: 'primary', status: 403, resetAt });
  const { status, headers, body } = await scene.ask(scene.tokens.alice, '/user');
  assert.deepEqual(
    [status, body['error'], body['details']],
    [503, 'github_rate_limited', { reset_at: resetAt.toISOString() }],
  );
  const seconds = Number(headers.get('retry-after'));
  assert.ok(seconds > 590 && seconds <= 601, `${seconds}`);
  scene.github.limitRate({ kind: 'secondary', status: 429, retryAfterSeconds: 60 });
  const secondary = await scene.ask(scene.tokens.bob, '/user');
  assert.equal(secondary.body['error'], 'github_rate_limited');
});

test('a workspace is only made of a repository that its owner may see', async () => {
  await using scene = await createGithubWorld();
  await scene.github.addRepository('my-org/secret', { private: true, files: { a: '1' }, access: { bob: 'read' } });
  const create = (user: 'alice' | 'bob', name: string, repo: object) =>
    scene
      .as(user)
      .call('createWorkspace', { body: { workspace_name: name, repo: { owner: 'my-org', name: 'secret', ...repo } } });
  const missing = { code: 'github_repo_not_found', details: { repository: 'my-org/secret' } };
  await assert.rejects(create('alice', 'one', {}), missing);
  await assert.rejects(create('alice', 'one', { url: `${scene.github.enterpriseUrl}/my-org/secret.git` }), missing);
  await create('bob', 'one', {});
  await create('alice', 'elsewhere', { url: 'https://git.example.com/my-org/secret.git' });
  await create('alice', 'folder', { source: 'upload' });
  scene.github.goDown('bad_gateway');
  await assert.rejects(create('bob', 'two', {}), { code: 'github_unreachable' });
  await assert.rejects(create('bob', 'one', {}), { code: 'workspace_already_exists' });
});

test('the same request again has its first answer, also while GitHub is down', async () => {
  await using scene = await createGithubWorld();
  await scene.github.addRepository('my-org/shop', { files: { a: '1' } });
  const create = async (): Promise<unknown> => {
    const response = await fetch(`${scene.world.baseUrl}/api/v1/workspaces`, {
      method: 'POST',
      headers: {
        authorization: `Bearer ${scene.tokens.alice}`,
        'content-type': 'application/json',
        'idempotency-key': 'once',
      },
      body: JSON.stringify({ workspace_name: 'w', repo: { owner: 'my-org', name: 'shop' } }),
    });
    assert.equal(response.status, 202);
    return response.json();
  };
  const first = await create();
  scene.github.goDown('refuse');
  assert.deepEqual(await create(), first);
});

test('tokens are neither in the log nor on disk', async () => {
  await using scene = await createGithubWorld();
  const bad = `gho_${'x'.repeat(36)}`;
  await scene.github.addRepository('my-org/shop', { files: { a: '1' } });
  await scene
    .as('alice')
    .call('createWorkspace', { body: { workspace_name: 'w', repo: { owner: 'my-org', name: 'shop' } } });
  await scene.ask(bad, '/user');
  scene.github.goDown('refuse');
  await scene.ask(scene.tokens.bob, '/user');
  const files = await readdir(scene.world.dataDir, { recursive: true, withFileTypes: true });
  const texts = await Promise.all(
    files.filter((one) => one.isFile()).map((one) => readFile(join(one.parentPath, one.name), 'latin1')),
  );
  const all = [JSON.stringify(scene.world.logged), ...texts].join('\n');
  assert.ok(scene.world.logged.length > 0 && texts.length > 0);
  for (const token of [scene.tokens.alice, scene.tokens.bob, bad]) assert.equal(all.includes(token), false);
});

test('where organizations are named, their members alone come in, as long as they are that', async () => {
  await using scene = await createGithubWorld({ env: { NEXUS_GITHUB_ORGANIZATIONS: 'other-org,my-org' } });
  const { members } = scene.github.addOrganization('my-org', { members: ['alice'] });
  assert.equal((await scene.ask(scene.tokens.alice, '/user')).status, 200);
  const stranger = await scene.ask(scene.tokens.bob, '/user');
  assert.deepEqual([stranger.status, stranger.body['error']], [403, 'forbidden']);
  assert.match(String(stranger.body['message']), /for members of other-org or my-org; .* the scope read:org/);
  const narrow = scene.github.addToken('alice', { scopes: ['repo'] });
  assert.equal((await scene.ask(narrow, '/user')).status, 403);
  members.delete('alice');
  scene.world.clock.now = new Date(scene.world.clock.now.getTime() + 5 * minute);
  assert.equal((await scene.ask(scene.tokens.alice, '/user')).status, 403);
  scene.github.goDown('bad_gateway');
  const left = await scene.ask(scene.tokens.alice, '/user');
  assert.equal(left.status, 503, 'who left is not let in by an outage');
});
