import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openLoop } from './open-loop.ts';

test('a request that is not answered holds up none, and its own time counts until it is', async () => {
  const first = Promise.withResolvers<void>();
  const sent: number[] = [];
  const times = await openLoop({ perSecond: 1000, seconds: 0.05 }, async (index) => {
    sent.push(index);
    if (index === 49) first.resolve();
    if (index === 0) await first.promise;
  });
  assert.deepEqual(
    sent,
    Array.from({ length: 50 }, (_, index) => index),
  );
  // The last was due 49 ms after the first.
  assert.ok((times[0] ?? 0) >= 49, `${times[0]}`);
});

test('a request that fails fails the run', async () => {
  await assert.rejects(
    openLoop({ perSecond: 1000, seconds: 0.002 }, () => Promise.reject(new Error('no answer'))),
    /no answer/,
  );
});
