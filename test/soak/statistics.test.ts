import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drift, floorDrift, percentile, slopePerHour, type Point } from './statistics.ts';

const minuteMs = 60_000;
const line = (count: number, value: (index: number) => number, from = 0): Point[] =>
  Array.from({ length: count }, (_, index) => ({ atMs: (from + index) * minuteMs, value: value(index) }));

describe('slopePerHour', () => {
  it('is what a straight line gains in an hour', () => {
    assert.equal(slopePerHour([line(10, (minute) => 100 + 2 * minute)])?.toFixed(6), '120.000000');
  });

  it('gives each life a level of its own: a process that begins anew is no fall', () => {
    const lives = [line(10, (minute) => 100 + minute), line(10, (minute) => 50 + minute, 30)];
    assert.equal(slopePerHour(lives)?.toFixed(6), '60.000000');
  });

  it('says nothing of what has no extent in time', () => {
    for (const lives of [[], [[]], [line(1, () => 5)], [line(1, () => 5), line(1, () => 9, 60)]]) {
      assert.equal(slopePerHour(lives), null);
    }
  });
});

describe('drift', () => {
  it('leaves the first quarter to the warming up', () => {
    assert.equal(drift(line(16, (index) => (index < 4 ? 0 : 100))), 0);
  });

  it('is the growth of the last quarter over the second', () => {
    assert.equal(drift(line(16, (index) => index)), 8);
  });

  it('is not misled by an outlier', () => {
    assert.equal(drift(line(16, (index) => (index === 14 ? 1000 : 7))), 0);
  });

  it('says nothing of a few points', () => {
    assert.equal(drift(line(7, (index) => index)), null);
  });
});

describe('floorDrift', () => {
  const sawTooth = (index: number): number => 100 + 10 * (index % 5);

  it('does not see a saw-tooth', () => {
    assert.equal(floorDrift(line(40, sawTooth)), 0);
  });

  it('sees that its lowest points rise', () => {
    assert.equal(floorDrift(line(40, (index) => sawTooth(index) + index)), 20);
  });

  it('says nothing of a few points', () => {
    assert.equal(floorDrift(line(9, sawTooth)), null);
  });
});

describe('percentile', () => {
  it('is the value under which that share lies', () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(
      [0, 0.5, 0.99, 1].map((fraction) => percentile(values, fraction)),
      [1, 51, 100, 100],
    );
    assert.equal(percentile([], 0.5), null);
  });
});
