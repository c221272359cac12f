import assert from 'node:assert/strict';
import { test } from 'node:test';
import { inTurn, quantile, summarize } from './statistics.ts';

test('the median of an odd and of an even number', () => {
  assert.deepEqual(summarize([3, 1, 2]), { median: 2, min: 1, max: 3, runs: 3 });
  assert.deepEqual(summarize([4, 1, 2, 3]), { median: 2.5, min: 1, max: 4, runs: 4 });
});

test('a quantile is the least value that so many are at most', () => {
  const hundred = Array.from({ length: 100 }, (_, index) => 100 - index);
  assert.equal(quantile(hundred, 0.99), 99);
  assert.equal(quantile(hundred, 1), 100);
  assert.equal(quantile([7], 0.5), 7);
});

test('both sides in turn; the first of each does not count', async () => {
  const calls: string[] = [];
  const side = (name: string, times: readonly number[]) => async (run: number) => {
    calls.push(`${name}${run}`);
    return times[run] ?? Number.NaN;
  };
  const pair = await inTurn(2, side('a', [1000, 4, 6]), side('b', [1, 2, 2]));
  assert.deepEqual(calls, ['a0', 'b0', 'a1', 'b1', 'a2', 'b2']);
  assert.deepEqual(pair.ours, { median: 5, min: 4, max: 6, runs: 2 });
  assert.deepEqual(pair.ratio, { median: 2.5, min: 2, max: 3, runs: 2 });
  assert.deepEqual(pair.more, { median: 3, min: 2, max: 4, runs: 2 });
});
