import assert from 'node:assert/strict';
import test from 'node:test';
import { createNewest } from './newest.ts';

test('one at a time, of each key the newest, and a failure is not the last', async () => {
  const dealt: string[] = [];
  const errors: unknown[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const { promise: done, resolve: finish } = Promise.withResolvers<void>();
  const take = createNewest<string>(
    async (report) => {
      dealt.push(report);
      if (report === 'a1') await gate;
      if (report === 'b2') throw new Error('broken');
      if (report === 'c1') finish();
    },
    { onError: (error) => errors.push(error) },
  );
  for (const report of ['a1', 'a2', 'b1', 'a3', 'b2']) take(report.slice(0, 1), report);
  assert.deepEqual(dealt, ['a1']);
  open();
  take('c', 'c1');
  await done;
  assert.deepEqual(dealt, ['a1', 'a3', 'b2', 'c1']);
  assert.equal(errors.length, 1);
});

test('what waits is bounded', async () => {
  let dealt = 0;
  const take = createNewest<number>(async () => void (dealt += 1), { onError: () => assert.fail() });
  for (let key = 0; key < 20_000; key += 1) take(String(key), key);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(dealt, 10_001);
});
