/** Deleting: what would be lost is said, and a terminal is asked. */
import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { test } from 'node:test';
import { execFrame } from '../../src/contract/stream-protocol.ts';
import { encodeFrame } from '../../src/contract/exec-frames.ts';
import { updateWorkspace } from '../../src/server/store/workspaces.ts';
import { createCliWorld } from '../support/cli-world.ts';
import type { CliWorld } from '../support/cli-world.ts';
import { answerStreams } from '../support/fake-workspace.ts';

/** A workspace whose git answers `said`; null: it cannot be asked. */
async function worldWithShop(said: string | null): Promise<CliWorld & { id: string }> {
  const world = await createCliWorld();
  const { api } = world;
  const { workspace_id: id } = await api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'o', name: 'r' } } });
  await api.settle(id);
  await api.store.transaction((tx) => updateWorkspace(tx, id, { commit_id: 'a'.repeat(40) }));
  if (said !== null) {
    api.openStream = answerStreams([], () => {
      const stream = new PassThrough();
      stream.write(encodeFrame(execFrame.stdout, said));
      stream.end(encodeFrame(execFrame.exit, said === '' ? '1' : '0'));
      return stream;
    });
  }
  return { ...world, id, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

async function isThere(world: CliWorld): Promise<boolean> {
  return (await world.api.client().call('listWorkspaces')).total > 0;
}

const lost: readonly [said: string | null, stderr: RegExp][] = [
  ['0\n0\n0\n', /^✔ Delete shop/],
  [
    '1\n1\n1\n',
    /^! shop has 1 file with uncommitted changes\.\n! shop has 1 commit that is not pushed\.\n! shop has 1 stash\.\n/,
  ],
  [
    '2\n3\n4\n',
    /^! shop has 2 files with uncommitted changes\.\n! shop has 3 commits that are not pushed\.\n! shop has 4 stashes\.\n/,
  ],
  ['', /^! shop could not be looked at for uncommitted or unpushed work\.\n/],
  [null, /^! shop could not be looked at for uncommitted or unpushed work\.\n/],
];
for (const [said, stderr] of lost) {
  test(`--yes deletes, and says what is lost: ${JSON.stringify(said)}`, async () => {
    await using world = await worldWithShop(said);
    const result = await world.run(['workspace', 'delete', 'shop', '--yes']);
    assert.deepEqual([result.exitCode, result.stdout], [0, 'shop is deleted.\n'], result.stderr);
    assert.match(result.stderr, stderr);
    assert.equal(await isThere(world), false);
  });
}

test('a stopped workspace cannot be looked into', async () => {
  await using world = await worldWithShop('0\n0\n0\n');
  await world.api.client().call('stopWorkspace', { params: { id: world.id } });
  const result = await world.run(['workspace', 'rm', 'shop', '-y', '--json']);
  assert.match(result.stderr, /^! shop is stopped, so it was not looked at/);
  assert.deepEqual(JSON.parse(result.stdout), { workspace_id: world.id, name: 'shop' });
});

test('without a terminal nothing is asked and nothing is deleted', async () => {
  await using world = await worldWithShop('0\n0\n0\n');
  const result = await world.run(['workspace', 'delete']);
  assert.equal(result.exitCode, 2);
  assert.match(result.stderr, /✖ Could not delete shop\n.*\n {2}→ nexus workspace delete shop --yes\n/);
  assert.ok(await isThere(world));
});

const answers: readonly [keys: string, exitCode: number, deleted: boolean][] = [
  ['y', 0, true],
  ['n', 130, false],
  ['\r', 130, false],
  ['\u0003', 130, false],
];
for (const [keys, exitCode, deleted] of answers) {
  test(`on a terminal it is asked for, and ${JSON.stringify(keys)} is an answer`, async () => {
    await using world = await worldWithShop('0\n0\n0\n');
    const result = await world.run(['workspace', 'delete', 'shop'], { terminal: 80, keys });
    assert.match(result.stderr, /Delete shop and its files\?/);
    assert.deepEqual([result.exitCode, !(await isThere(world))], [exitCode, deleted], result.stderr);
  });
}
