import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { createFileOnce, removeUnfinished, writeFileAtomic } from './atomic-file.ts';

test('files are replaced or made whole, with their mode, and nothing is left over', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-atomic-'));
  try {
    const file = join(folder, 'deep', 'file');
    await writeFileAtomic(file, 'one', { mode: 0o644 });
    await writeFileAtomic(file, Buffer.from('two'), { mode: 0o600 });
    assert.equal(await readFile(file, 'utf8'), 'two');
    assert.equal((await stat(file)).mode & 0o777, 0o600);

    assert.equal(await createFileOnce(file, 'three', { mode: 0o600 }), false);
    assert.equal(await createFileOnce(join(folder, 'deep', 'other'), 'four', { mode: 0o600 }), true);
    assert.equal(await readFile(file, 'utf8'), 'two');

    await mkdir(join(folder, 'deep', 'taken', 'inside'), { recursive: true });
    await assert.rejects(writeFileAtomic(join(folder, 'deep', 'taken'), 'x', { mode: 0o600 }));
    await assert.rejects(createFileOnce(join(folder, 'deep', 'file', 'x'), 'x', { mode: 0o600 }));
    assert.deepEqual((await readdir(join(folder, 'deep'))).sort(), ['file', 'other', 'taken']);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('removes what a process left that was killed while it wrote, and nothing of one that lives', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-atomic-'));
  try {
    const dead = spawn('true');
    await once(dead, 'exit');
    const copyOf = (pid: number | undefined): string => `file.${pid}.${randomUUID()}.tmp`;
    const own = copyOf(process.pid);
    const [ofDead, ofLiving, ofNamesake] = [copyOf(dead.pid), copyOf(1), copyOf(process.pid)];
    for (const name of [own, ofDead, ofLiving, ofNamesake, 'other.tmp']) await writeFile(join(folder, name), '');
    await utimes(join(folder, ofNamesake), 0, 0);
    await removeUnfinished(folder);
    assert.deepEqual((await readdir(folder)).toSorted(), [own, ofLiving, 'other.tmp'].toSorted());
    await removeUnfinished(join(folder, 'missing'));
  } finally {
    await rm(folder, { recursive: true });
  }
});
