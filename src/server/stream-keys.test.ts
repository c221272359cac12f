import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, it } from 'node:test';
import { openStreamKeys } from './stream-keys.ts';

const node = { name: 'node-1', public_key: 'p' };
let folder: string;
before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-keys-'));
});
after(() => rm(folder, { recursive: true }));

it('has the same keys after a restart, another for each peer, and another after a new join', async () => {
  const file = join(folder, 'secret');
  const keys = await openStreamKeys(file);
  const again = await openStreamKeys(file);
  assert.deepEqual([again.server, again.of(node)], [keys.server, keys.of(node)]);
  const different = [
    keys.server,
    keys.of(node),
    keys.of({ ...node, name: 'node-2' }),
    keys.of({ ...node, public_key: 'q' }),
  ];
  assert.equal(new Set(different).size, different.length);
  assert.equal(Buffer.from(keys.of(node), 'base64').length, 32);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  assert.ok(!different.includes((await readFile(file)).toString('base64')));
});

it('refuses a file that holds no secret', async () => {
  const file = join(folder, 'short');
  await writeFile(file, 'x');
  await assert.rejects(openStreamKeys(file), { code: 'config_invalid' });
});
