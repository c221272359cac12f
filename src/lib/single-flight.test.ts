import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createSingleFlight } from './single-flight.ts';

it('shares a run among the calls of its time, by key', async () => {
  const singleFlight = createSingleFlight();
  let runs = 0;
  const run = async (): Promise<number> => ++runs;
  assert.deepEqual(
    await Promise.all([singleFlight('a', run), singleFlight('a', run), singleFlight('b', run)]),
    [1, 1, 2],
  );
  assert.equal(await singleFlight('a', run), 3);
});

it('shares a failure, and forgets it', async () => {
  const singleFlight = createSingleFlight();
  const fail = (): Promise<never> => Promise.reject(new Error('no'));
  const outcomes = await Promise.allSettled([singleFlight('a', fail), singleFlight('a', fail)]);
  assert.ok(outcomes.every(({ status }) => status === 'rejected'));
  assert.equal(await singleFlight('a', async () => 'yes'), 'yes');
});
