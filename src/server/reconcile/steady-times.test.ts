import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Observation } from '../../contract/control-protocol.ts';
import { createSteadyTimes, type SteadyTimes } from './steady-times.ts';

const begin = Date.parse('2026-01-01T00:00:00.000Z');
const hour = 3_600_000;

type Clocks = {
  readonly times: SteadyTimes;
  readonly wall: () => string;
  /** Lets real time go by. */
  readonly pass: (ms: number) => void;
  /** Puts the wall clock alone. */
  readonly jump: (ms: number) => void;
};

function clocks(): Clocks {
  let wall = begin;
  let monotonic = 5000;
  return {
    times: createSteadyTimes(
      () => new Date(wall),
      () => monotonic,
    ),
    wall: () => new Date(wall).toISOString(),
    pass(ms: number) {
      wall += ms;
      monotonic += ms;
    },
    jump(ms: number) {
      wall += ms;
    },
  };
}

for (const [name, jumpMs] of [
  ['put forward', 48 * hour],
  ['put back', -48 * hour],
] as const) {
  test(`what was met before the clock was ${name} is as old as it really is`, () => {
    const { times, wall, pass, jump } = clocks();
    const written = wall();
    assert.equal(times.at('op-1', written), times.now());
    pass(1000);
    jump(jumpMs);
    pass(500);
    assert.equal(times.now() - times.at('op-1', written), 1500);
    assert.equal(times.now() - begin, 1500);
    const later = wall();
    pass(100);
    assert.equal(times.now() - times.at('op-2', later), 100);
  });
}

test('what a clock that was ahead wrote down happened just now, and gets older', () => {
  const { times, pass } = clocks();
  const ahead = new Date(begin + hour).toISOString();
  assert.equal(times.now() - times.at('op-1', ahead), 0);
  pass(700);
  assert.equal(times.now() - times.at('op-1', ahead), 700);
});

test('the start of a service is such a time', () => {
  const { times, wall, pass, jump } = clocks();
  const service = { name: 'web', started_at: wall() };
  const seen = { services: [service, { name: 'db', started_at: null }] } as unknown as Observation;
  times.observation(seen);
  pass(200);
  jump(-hour);
  const [web, db] = times.observation(seen)?.services ?? [];
  assert.equal(times.now() - Date.parse(web?.started_at ?? ''), 200);
  assert.equal(db?.started_at, null);
  assert.equal(times.observation(null), null);
});

test('it keeps no more than it needs', () => {
  const { times, wall, pass } = clocks();
  const written = wall();
  times.at('first', written);
  pass(10);
  for (let number = 0; number < 3000; number++) times.at(`op-${number}`, written);
  assert.equal(times.now() - times.at('op-2999', written), 10);
});
