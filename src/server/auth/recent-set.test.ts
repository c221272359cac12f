import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRecentSet } from './recent-set.ts';

test('members stay for their time, and the oldest make room', () => {
  let at = 0;
  const set = createRecentSet({ forMs: 10, most: 2, now: () => new Date(at) });
  set.add('a');
  at = 5;
  set.add('b');
  assert.deepEqual([set.has('a'), set.has('b'), set.has('c')], [true, true, false]);
  at = 10;
  assert.deepEqual([set.has('a'), set.has('b')], [false, true]);
  set.add('c');
  set.add('d');
  assert.deepEqual([set.has('b'), set.has('c'), set.has('d')], [false, true, true]);
  assert.equal(set.size(), 2);
  at = 20;
  assert.equal(set.size(), 0);
});
