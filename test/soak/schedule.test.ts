import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createRandom } from './random.ts';
import { killSchedule } from './schedule.ts';

const hour = { durationMs: 3_600_000, everyMs: 180_000 };

describe('createRandom', () => {
  it('gives the same numbers for the same seed, all in their range', () => {
    const numbers = (seed: number): number[] => {
      const random = createRandom(seed);
      return Array.from({ length: 1000 }, () => random.between(2, 5));
    };
    assert.deepEqual(numbers(7), numbers(7));
    assert.notDeepEqual(numbers(7), numbers(8));
    assert.ok(numbers(7).every((number) => number >= 2 && number < 5));
    const mean = numbers(7).reduce((sum, number) => sum + number, 0) / 1000;
    assert.ok(Math.abs(mean - 3.5) < 0.15, `the mean is ${mean}`);
  });

  it('picks each of several', () => {
    const random = createRandom(1);
    const picked = new Set(Array.from({ length: 100 }, () => random.pick(['a', 'b', 'c'])));
    assert.deepEqual([...picked].sort(), ['a', 'b', 'c']);
  });
});

describe('killSchedule', () => {
  it('is the same for the same seed', () => {
    assert.deepEqual(killSchedule({ seed: 3, ...hour }), killSchedule({ seed: 3, ...hour }));
    assert.notDeepEqual(killSchedule({ seed: 3, ...hour }), killSchedule({ seed: 4, ...hour }));
  });

  it('keeps gaps of half to one and a half of the time that it was told, and leaves the last third alone', () => {
    for (let seed = 1; seed <= 50; seed += 1) {
      const kills = killSchedule({ seed, ...hour });
      assert.ok(kills.length > 0);
      for (const [index, { atMs, roles }] of kills.entries()) {
        const gap = atMs - (kills[index - 1]?.atMs ?? 0);
        assert.ok(gap >= 90_000 && gap <= 270_000, `a gap of ${gap} ms`);
        assert.ok(atMs < 2_400_000);
        assert.ok(roles.length > 0);
      }
    }
  });

  it('kills nobody when told so', () => {
    assert.deepEqual(killSchedule({ seed: 1, durationMs: hour.durationMs, everyMs: 0 }), []);
  });
});
