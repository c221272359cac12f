import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';
import { execMark, signalMarked } from './signal-tree.ts';

it('ends marked processes and the children that lost the mark, and no other', async () => {
  const mark = `test-${process.pid}`;
  const script = 'env -u NEXUS_EXEC_ID sleep 1000 & echo $!; wait';
  const marked = spawn('sh', ['-c', script], { env: { ...process.env, [execMark]: mark } });
  const other = spawn('sleep', ['1000']);
  const [output] = (await once(marked.stdout, 'data')) as [Buffer];
  const child = Number(output.toString());
  assert.equal(await signalMarked(mark, 'SIGKILL'), true);
  const [, signal] = (await once(marked, 'exit')) as [number | null, string];
  assert.equal(signal, 'SIGKILL');
  assert.equal(other.exitCode, null);
  other.kill();
  assert.equal(await signalMarked(`${mark}-none`, 'SIGKILL'), false);
  // A killed orphan is a zombie until it is reaped.
  const stat = await readFile(`/proc/${child}/stat`, 'utf8').catch(() => `${child} (sleep) X`);
  assert.match(stat, /\) [ZX]/);
});

it('has nothing to end where there are no processes', async () => {
  assert.equal(await signalMarked('x', 'SIGTERM', '/no/such/folder'), false);
});
