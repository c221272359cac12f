import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test, type TestContext } from 'node:test';
import { openSealer } from './sealer.ts';

function keyFile(context: TestContext, name = 'credentials.key'): string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-sealer-'));
  context.after(() => rmSync(folder, { recursive: true }));
  return join(folder, name);
}

test('what is sealed is opened for whom it belongs to, also by another process, and looks different each time', async (context) => {
  const file = keyFile(context);
  const sealer = await openSealer(file);
  const sealed = sealer.seal('gho_sécret', '7');
  assert.equal((await openSealer(file)).open(sealed, '7'), 'gho_sécret');
  assert.equal(sealer.open(sealed, '8'), null);
  assert.notEqual(sealer.seal('gho_sécret', '7'), sealed);
  assert.doesNotMatch(Buffer.from(sealed, 'base64').toString('latin1'), /gho/);
  assert.equal(statSync(file).mode & 0o777, 0o600);
});

test('nothing is opened that was changed, cut, or sealed with another key', async (context) => {
  const sealer = await openSealer(keyFile(context));
  const bytes = Buffer.from(sealer.seal('gho_secret', '7'), 'base64');
  const changed = Buffer.from(bytes);
  changed[30] = (changed[30] ?? 0) ^ 1;
  assert.equal(sealer.open(changed.toString('base64'), '7'), null);
  for (const length of [0, 5, 12, 20, 28])
    assert.equal(sealer.open(bytes.subarray(0, length).toString('base64'), '7'), null);
  const other = await openSealer(keyFile(context));
  assert.equal(other.open(bytes.toString('base64'), '7'), null);
});

test('a file that holds no key is named', async (context) => {
  const file = keyFile(context);
  writeFileSync(file, 'short');
  await assert.rejects(openSealer(file), { code: 'config_invalid' });
});
