import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { userIdsStep } from './user-ids.ts';

async function withFiles(test: (files: { subuid: string; subgid: string; folder: string }) => Promise<void>) {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-ids-'));
  await test({ subuid: join(folder, 'subuid'), subgid: join(folder, 'subgid'), folder });
  await rm(folder, { recursive: true });
}

it('gives root a range where it has none, and leaves the others theirs', () =>
  withFiles(async ({ subuid, subgid, folder }) => {
    await writeFile(join(folder, 'newuidmap'), '', { mode: 0o755 });
    await writeFile(subuid, 'alice:100000:65536');
    const step = userIdsStep({ files: [subuid, subgid], folders: [folder] });
    assert.deepEqual(await step.check(), { detail: `root has no range of ids in ${subuid} and ${subgid}` });
    await step.apply(() => undefined);
    assert.equal(await step.check(), null);
    assert.ok(step.describe());
    assert.equal(await readFile(subuid, 'utf8'), 'alice:100000:65536\nroot:1000000:1000000000\n');
    await step.apply(() => undefined);
    assert.equal(await readFile(subgid, 'utf8'), 'root:1000000:1000000000\n');
  }));

it('changes nothing where root has one, or nobody asks for it', () =>
  withFiles(async ({ subuid, subgid, folder }) => {
    await writeFile(subuid, '0:100000:10000001\n');
    assert.equal(await userIdsStep({ files: [subuid, subgid], folders: [folder] }).check(), null);
    await writeFile(join(folder, 'newuidmap'), '', { mode: 0o755 });
    assert.equal(await userIdsStep({ files: [subuid], folders: [folder] }).check(), null);
  }));
