import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createOccupiedPorts } from './occupied-ports.ts';

test('a port that was left is avoided for a while, one that is listened on by now is free', () => {
  const clock = { now: 0 };
  const ports = createOccupiedPorts(() => clock.now);
  ports.applied([2222, 2223], [{ listen: 2222, reason: 'in use' }]);
  assert.deepEqual([...ports.current()], [[2222, 'in use']]);
  ports.applied([2224], []);
  assert.deepEqual([...ports.current()], [[2222, 'in use']], 'it is in no table any more: nothing new is known');
  clock.now = 10 * 60_000 + 1;
  ports.applied([2224], []);
  assert.deepEqual([...ports.current()], []);
  ports.applied([2222], [{ listen: 2222, reason: 'in use' }]);
  ports.applied([2222], []);
  assert.deepEqual([...ports.current()], []);
});
