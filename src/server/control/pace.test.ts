import assert from 'node:assert/strict';
import test from 'node:test';
import { createPace } from './pace.ts';

test('who comes too soon waits, and holds up nobody else', async () => {
  const waits: number[] = [];
  const pace = createPace(
    () => 1000,
    async (ms) => void waits.push(ms),
  );
  await pace('node-1');
  assert.deepEqual(waits, []);
  await pace('node-1');
  await pace('node-1');
  await pace('node-2');
  assert.deepEqual(waits, [250, 500]);
});
