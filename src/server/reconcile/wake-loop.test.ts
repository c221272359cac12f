import assert from 'node:assert/strict';
import { afterEach, beforeEach, mock, test } from 'node:test';
import { createWakeLoop, type Next, type WakeLoop } from './wake-loop.ts';

let nowMs: number;
let passes: number;
let errors: unknown[];
let loop: WakeLoop;

beforeEach(() => {
  mock.timers.enable({ apis: ['setTimeout'] });
  nowMs = 0;
  passes = 0;
  errors = [];
});
afterEach(() => {
  loop.end();
  mock.timers.reset();
});

/** A loop whose passes come to these, one after the other, and to null afterwards. */
function start(...outcomes: (Next | Error)[]): void {
  const pass = async (): Promise<Next> => {
    passes += 1;
    const outcome = outcomes.shift() ?? null;
    if (outcome instanceof Error) throw outcome;
    return outcome;
  };
  loop = createWakeLoop(pass, { now: () => nowMs, onError: (error) => errors.push(error) });
  loop.wake();
}
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
async function advance(ms: number): Promise<void> {
  nowMs += ms;
  mock.timers.tick(ms);
  await settle();
}

test('a pass that says so is followed at once, another when it is woken', async () => {
  start('now', null);
  await settle();
  assert.equal(passes, 2);
  loop.wake();
  loop.wake();
  await settle();
  assert.equal(passes, 4, 'whoever comes while a pass is under way is heard by another');
});

test('a pass that names a time is followed then, and by no later time when it is woken before', async () => {
  start(1_000, 3_000);
  await settle();
  await advance(999);
  assert.equal(passes, 1);
  await advance(1);
  assert.equal(passes, 2);
  loop.wake();
  await settle();
  await advance(10_000);
  assert.equal(passes, 3, 'the pass in between had no time to name');
});

test('a pass that fails is told of and tried again after a while', async () => {
  const fault = new Error('the disk is full');
  start(fault);
  await settle();
  assert.deepEqual([passes, errors], [1, [fault]]);
  await advance(5_000);
  assert.equal(passes, 2);
});

test('nothing follows the end', async () => {
  start(1_000);
  await settle();
  loop.end();
  loop.wake();
  await advance(1_000);
  assert.equal(passes, 1);
});

test('what is done between passes waits for the one that is under way', async () => {
  const order: string[] = [];
  const end = Promise.withResolvers<null>();
  const pass = async (): Promise<Next> => {
    order.push('begins');
    await end.promise;
    order.push('ends');
    return null;
  };
  loop = createWakeLoop(pass, { now: () => 0, onError: (error) => assert.ifError(error) });
  loop.wake();
  const between = loop.between(async () => void order.push('between'));
  await settle();
  end.resolve(null);
  await between;
  assert.deepEqual(order, ['begins', 'ends', 'between']);
});
