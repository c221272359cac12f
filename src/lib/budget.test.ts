import assert from 'node:assert/strict';
import test from 'node:test';
import { createBudget } from './budget.ts';

test('so much at once, then so much a second', async () => {
  let now = 0;
  const waits: number[] = [];
  const wait = async (ms: number): Promise<void> => {
    waits.push(Math.round(ms));
    now += ms;
  };
  const budget = createBudget({ most: 10, perSecond: 2, nowMs: () => now, wait });
  for (let turn = 0; turn < 10; turn += 1) await budget.spend(1);
  assert.deepEqual(waits, []);
  await budget.spend(1);
  await budget.spend(3);
  assert.deepEqual(waits, [500, 1500]);
  now += 60_000;
  await budget.spend(10);
  assert.deepEqual(waits, [500, 1500], 'it fills up again, and no further');
  await budget.spend(1);
  assert.deepEqual(waits, [500, 1500, 500]);
});
