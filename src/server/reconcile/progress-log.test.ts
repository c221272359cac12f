import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createProgressLog } from './progress-log.ts';

test('lines are written together, and of a flood the last', async () => {
  const written: string[][] = [];
  const log = createProgressLog(async (lines) => void written.push([...lines]));
  for (let line = 0; line < 60; line++) log.add(`${line}`);
  log.add('x'.repeat(2000));
  await log.flush();
  await log.flush();
  assert.deepEqual(
    [written.length, written[0]?.length, written[0]?.[0], written[0]?.at(-1)?.length],
    [1, 10, '51', 500],
  );
});

test('without more to come they are written by themselves, and a write that fails is not the last', async () => {
  const done = Promise.withResolvers<void>();
  let writes = 0;
  const log = createProgressLog(async () => {
    writes += 1;
    if (writes === 1) throw new Error('the disk is full');
    done.resolve();
  });
  log.add('first');
  await assert.rejects(log.flush(), /disk is full/);
  log.add('second');
  await done.promise;
});
