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

it('takes the one that the environment names, as the commands of the engines do, and no other', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-socket-'));
  const present = join(folder, 'unix.socket');
  await writeFile(present, '');
  assert.equal(findSocket([], { LXD_DIR: folder }), present);
  assert.equal(findSocket([], { INCUS_DIR: '/nowhere', LXD_SOCKET: present }), present);
  assert.equal(findSocket([present], { LXD_SOCKET: '/nowhere/socket' }), null);
  assert.equal(likelySocket({ INCUS_SOCKET: '/nowhere/socket' }), '/nowhere/socket');
  await rm(folder, { recursive: true });
});

it('has a place to look at in any case', () => {
  assert.ok(knownSockets.some((path) => path === likelySocket()));
});
