import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createLocalAuthenticator } from './local-authenticator.ts';

const alice = { username: 'alice', uid: 1000 };

test('local mode: a token is made once, for its owner only, and is the only one taken', async () => {
  const data_dir = mkdtempSync(join(tmpdir(), 'nexus-auth-'));
  const file = join(data_dir, 'local-token');
  const options = { dataDir: data_dir, osUser: alice };
  await createLocalAuthenticator(options);
  const token = readFileSync(file, 'utf8').trim();
  chmodSync(file, 0o644);
  const authenticator = await createLocalAuthenticator(options);
  assert.equal(readFileSync(file, 'utf8').trim(), token);
  assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(await authenticator.authenticate(token), { githubUsername: 'alice', githubId: 1001, admin: true });
  for (const wrong of ['', 'x', `${token}x`, token.slice(1)])
    await assert.rejects(authenticator.authenticate(wrong), { code: 'unauthorized' });
  writeFileSync(file, '');
  await assert.rejects(createLocalAuthenticator(options), { code: 'config_invalid', message: /remove the file/ });
  rmSync(data_dir, { recursive: true });
});
