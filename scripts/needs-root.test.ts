import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

const nobody = 65_534;
const isRoot = process.getuid?.() === 0;

/** A checkout and a folder of data that are another user's than whom the scripts run as. */
const checkout = mkdtempSync(join(tmpdir(), 'nexus-scripts-'));
after(() => rmSync(checkout, { recursive: true }));
chmodSync(checkout, 0o755);
cpSync(import.meta.dirname, join(checkout, 'scripts'), { recursive: true });
const data = join(checkout, 'data');
mkdirSync(data);
chmodSync(data, isRoot ? 0o700 : 0o500);

function run(target: string, dataDir: string): { status: number | null; stderr: string } {
  const { status, stderr } = spawnSync('sh', [join(checkout, 'scripts', `${target}.sh`)], {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', NEXUS_DATA_DIR: dataDir },
    ...(isRoot ? { uid: nobody, gid: nobody } : {}),
  });
  return { status, stderr };
}

for (const target of ['up', 'down', 'clean']) {
  test(`make ${target} says that it needs root, and does nothing without`, () => {
    assert.deepEqual(run(target, data), {
      status: 1,
      stderr: `nexus: make ${target} needs root: ${data} and the engine's instances are root's\n  → sudo make ${target}\n`,
    });
  });
}

test('make down has nothing to do where nothing ever ran', () => {
  assert.deepEqual(run('down', join(checkout, 'none')), { status: 0, stderr: '' });
});
