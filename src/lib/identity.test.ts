import assert from 'node:assert/strict';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { fingerprint, loadIdentity, verify } from './identity.ts';

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-identity-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test('is made once, also when many ask at once, and only its owner can read it', () =>
  inFolder(async (folder) => {
    const file = join(folder, 'new', 'identity.pem');
    const made = await Promise.all(Array.from({ length: 8 }, () => loadIdentity(file)));
    const again = await loadIdentity(file);
    assert.deepEqual(new Set(made.map(({ publicKey }) => publicKey)), new Set([again.publicKey]));
    assert.equal(Buffer.from(again.publicKey, 'base64').length, 32);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.deepEqual(await readdir(join(folder, 'new')), ['identity.pem']);
  }));

test('signs what others can verify', () =>
  inFolder(async (folder) => {
    const [mine, other] = await Promise.all([loadIdentity(join(folder, 'a')), loadIdentity(join(folder, 'b'))]);
    const data = Buffer.from('data');
    const signature = mine.sign(data).toString('base64');
    assert.equal(verify(mine.publicKey, data, signature), true);
    assert.equal(verify(other.publicKey, data, signature), false);
    assert.equal(verify(mine.publicKey, Buffer.from('date'), signature), false);
    assert.equal(verify(mine.publicKey, data, signature.slice(4)), false);
    assert.equal(verify('AAAA', data, signature), false);
  }));

test('a fingerprint has the form of OpenSSH', () => {
  assert.equal(fingerprint(Buffer.alloc(32).toString('base64')), 'SHA256:Zmh6rfhivXdsj8GLjp+OIAiXFIVu4jOzkCpZHQ1fKSU');
});

test('what is not a key, or cannot be read, is an error', () =>
  inFolder(async (folder) => {
    await writeFile(join(folder, 'broken'), 'no key');
    await assert.rejects(loadIdentity(join(folder, 'broken')));
    await assert.rejects(loadIdentity(folder), { code: 'EISDIR' });
  }));
