import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createMutex } from './mutex.ts';

it('runs one task at a time, in order, and goes on after one that failed', async () => {
  const oneAtATime = createMutex();
  const seen: string[] = [];
  const task = (name: string, fails = false) =>
    oneAtATime(async () => {
      seen.push(`${name} begins`);
      await Promise.resolve();
      seen.push(`${name} ends`);
      if (fails) throw new Error(name);
      return name;
    });
  const results = await Promise.allSettled([task('a', true), task('b'), task('c')]);
  assert.deepEqual(seen, ['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  assert.deepEqual(
    results.map(({ status }) => status),
    ['rejected', 'fulfilled', 'fulfilled'],
  );
});
