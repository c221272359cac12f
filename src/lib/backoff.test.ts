import assert from 'node:assert/strict';
import test from 'node:test';
import { createBackoff } from './backoff.ts';

test('the bound doubles up to the most, and starts anew after a success', () => {
  const backoff = createBackoff({ firstMs: 100, maxMs: 1000, random: () => 1 });
  assert.deepEqual(
    Array.from({ length: 6 }, () => backoff.next()),
    [100, 200, 400, 800, 1000, 1000],
  );
  backoff.reset();
  assert.equal(backoff.next(), 100);
});

test('the wait is a random part of the bound', () => {
  assert.equal(createBackoff({ firstMs: 100, maxMs: 1000, random: () => 0.25 }).next(), 25);
  const waits = Array.from({ length: 200 }, () => createBackoff({ firstMs: 100, maxMs: 1000 }).next());
  assert.ok(waits.every((wait) => wait >= 0 && wait <= 100));
  assert.ok(new Set(waits).size > 20);
});
