import assert from 'node:assert/strict';
import { test } from 'node:test';
import { backoffMs } from './backoff.ts';

test('doubles from the first to the ceiling, and costs nothing before a failure', () => {
  const waits = [-1, 0, 1, 2, 3, 4, 5, 6, 1000].map((attempt) => backoffMs(attempt, { firstMs: 1000, maxMs: 10_000 }));
  assert.deepEqual(waits, [0, 0, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
});
