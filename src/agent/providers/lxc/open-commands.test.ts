import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { openCommandsIn } from './open-commands.ts';
import { execMark } from './signal-tree.ts';

function marked(mark: string): ChildProcess {
  return spawn('sleep', ['1000'], { env: { ...process.env, [execMark]: mark } });
}

it('ends what a killed agent had under way, and not what its ended commands left behind', async () => {
  const folder = join(mkdtempSync(join(tmpdir(), 'nexus-open-commands-')), 'commands');
  const names = { open: `open-${process.pid}`, ended: `ended-${process.pid}` };
  const [open, daemon] = [marked(names.open), marked(names.ended)];
  try {
    const before = openCommandsIn(folder);
    await before.left;
    for (const mark of Object.values(names)) before.begin(mark);
    before.end(names.ended);
    assert.deepEqual(readdirSync(folder), [names.open]);

    const after = openCommandsIn(folder);
    const own = `own-${process.pid}`;
    after.begin(own);
    const [, signal] = (await once(open, 'exit')) as [number | null, string];
    assert.equal(signal, 'SIGKILL');
    await after.left;
    assert.deepEqual(readdirSync(folder), [own]);
    assert.equal(daemon.signalCode, null);
  } finally {
    for (const one of [open, daemon]) one.kill('SIGKILL');
    rmSync(join(folder, '..'), { recursive: true });
  }
});
