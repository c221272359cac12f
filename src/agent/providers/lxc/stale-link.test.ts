import assert from 'node:assert/strict';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, it } from 'node:test';
import { removeStaleLink } from './stale-link.ts';

const path = process.env['PATH'] ?? '';
let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-link-'));
  process.env['PATH'] = `${folder}:${path}`;
});
afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true });
});

async function ip(script: string): Promise<void> {
  await writeFile(join(folder, 'ip'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'ip'), 0o755);
}

const failure =
  'Failed to run: ip link add nxabcdefghijkl type veth peer name veth1: exit status 2 (RTNETLINK answers: File exists)';

it('removes the interface that stands in the way of a start, and no other', async () => {
  await ip(`echo "$@" >> ${folder}/log`);
  assert.equal(await removeStaleLink('nexus-abcdefghijkl', 'no space left on device'), false);
  assert.equal(await removeStaleLink('nexus-lkjihgfedcba', failure), false);
  assert.equal(await removeStaleLink('nexus-abcdefghijkl', failure), true);
  assert.equal(await readFile(join(folder, 'log'), 'utf8'), 'link delete nxabcdefghijkl\n');
});

it('leaves it at that when it cannot', async () => {
  await ip('exit 1');
  assert.equal(await removeStaleLink('nexus-abcdefghijkl', failure), false);
});
