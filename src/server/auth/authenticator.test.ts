import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createAuthenticator } from './authenticator.ts';

const alice = { username: 'alice', uid: 1000 };

test('local mode: a token is made once, for its owner only, and is the only one taken', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'nexus-auth-'));
  const file = join(data_dir, 'local-token');
  const config = { auth: { mode: 'local' as const }, data_dir };
  await createAuthenticator(config, alice);
  const token = readFileSync(file, 'utf8').trim();
  chmodSync(file, 0o644);
  const authenticator = await createAuthenticator(config, alice);
  assert.equal(readFileSync(file, 'utf8').trim(), token);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(await authenticator.authenticate(token), { githubUsername: 'alice', githubId: 1001, admin: true });
  for (const wrong of ['', 'x', `${token}x`, token.slice(1)])
    await assert.rejects(authenticator.authenticate(wrong), { code: 'unauthorized' });
  writeFileSync(file, '');
  await assert.rejects(createAuthenticator(config, alice), { code: 'config_invalid', message: /remove the file/ });
  rmSync(data_dir, { recursive: true });
});

test('the modes of later versions are refused at the start', async () => {
  for (const mode of ['github', 'oidc'] as const)
    await assert.rejects(createAuthenticator({ auth: { mode }, data_dir: '/nonexistent' }, alice), {
      code: 'config_invalid',
      message: `configuration: auth.mode: this version does not have ${mode} sign-in yet; set it to local`,
    });
});
