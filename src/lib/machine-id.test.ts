import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { machineId } from './machine-id.ts';

test('is the hash of the system’s id, the same for all; without one, a made one that stays', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-machine-'));
  try {
    const system = join(folder, 'machine-id');
    await writeFile(system, 'b1946ac92492d2347c6235b4d2611184\n');
    const fromSystem = await machineId(join(folder, 'state'), [join(folder, 'absent'), system]);
    assert.match(fromSystem, /^[0-9a-f]{64}$/);
    assert.equal(await machineId('/nowhere', [system]), fromSystem);

    const made = await machineId(join(folder, 'state'), []);
    assert.notEqual(made, fromSystem);
    assert.equal(await machineId(join(folder, 'state'), []), made);
    assert.notEqual(await machineId(join(folder, 'elsewhere'), []), made);
    assert.ok(!made.includes((await readFile(join(folder, 'state', 'machine-id'), 'utf8')).slice(0, 8)));
    assert.match(await machineId(join(folder, 'state')), /^[0-9a-f]{64}$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
