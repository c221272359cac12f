import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RateLimitStore } from './rate-limit-store.ts';

function count(store: RateLimitStore, user: string, windowMs = 60_000): { current: number; ttl: number } {
  let result = { current: 0, ttl: 0 };
  store.incr(user, (_error, counted) => void (result = counted ?? result), windowMs);
  return result;
}

test('each user has a count of their own, which begins anew with each window', (t) => {
  t.mock.timers.enable({ apis: ['Date'], now: Date.parse('2026-01-02T00:00:00Z') });
  const store = new RateLimitStore();
  assert.deepEqual([count(store, 'a').current, count(store, 'a').current, count(store, 'b').current], [1, 2, 1]);
  const { ttl } = count(store.child(), 'a');
  assert.ok(ttl > 50_000 && ttl <= 60_000, `${ttl}`);
  t.mock.timers.setTime(Date.parse('2026-01-01T00:00:00Z'));
  assert.equal(count(store, 'a', 0).current, 1, 'the window is over, though the clock was put back');
});

test('it forgets those who made no request for longest', () => {
  const store = new RateLimitStore();
  count(store, 'first');
  for (let number = 0; number < 5000; number++) count(store, `user-${number}`);
  assert.equal(count(store, 'first').current, 1);
  assert.equal(count(store, 'user-4999').current, 2);
});
