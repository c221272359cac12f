import assert from 'node:assert/strict';
import test from 'node:test';
import { createCrowd } from './crowd.ts';

test('so many for each key, and another for each that has left', () => {
  const crowd = createCrowd(2);
  const first = crowd.enter(1);
  const second = crowd.enter(1);
  assert.ok(first && second);
  assert.equal(crowd.enter(1), null);
  assert.ok(crowd.enter(2), 'another key is another crowd');
  first();
  assert.ok(crowd.enter(1));
  assert.equal(crowd.enter(1), null);
});
