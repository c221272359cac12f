import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { findSocket, knownSockets, likelySocket } from './find-socket.ts';

it('takes the first that is there', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-socket-'));
  const present = join(folder, 'present');
  await writeFile(present, '');
  assert.equal(findSocket([join(folder, 'absent'), present]), present);
  assert.equal(findSocket([join(folder, 'absent')]), null);
  await rm(folder, { recursive: true });
});

it('has a place to look at in any case', () => {
  assert.ok(knownSockets.some((path) => path === likelySocket()));
});
