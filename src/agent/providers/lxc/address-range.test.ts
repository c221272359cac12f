import assert from 'node:assert/strict';
import { it } from 'node:test';
import { capacity, parseRange, pickAddress, resolverAddresses } from './address-range.ts';

it('reads a range, and says what is wrong with one', () => {
  assert.deepEqual(parseRange('10.83.0.0/16'), { cidr: '10.83.0.0/16', first: 173_211_648, size: 65_536 });
  for (const wrong of ['10.83.0.0', '10.83.0.0/30', '10.83.0.0/4', '10.83.0.1/16', '10.300.0.0/16', 'fd00::/64'])
    assert.throws(() => parseRange(wrong), Error, wrong);
});

it('keeps the first addresses for name servers', () => {
  const range = parseRange('10.84.1.0/26');
  assert.deepEqual(resolverAddresses(range), ['10.84.1.2', '10.84.1.3']);
  assert.equal(capacity(range), 47);
});

it('picks every free address once, from any start, and none when all are taken', () => {
  const range = parseRange('10.84.1.0/26');
  const taken = new Set<string>();
  for (let index = 0; index < capacity(range); index++) {
    const address = pickAddress(range, taken, () => 40);
    assert.ok(address !== null && !taken.has(address));
    taken.add(address);
  }
  assert.ok(taken.has('10.84.1.16') && taken.has('10.84.1.62'));
  assert.equal(pickAddress(range, taken), null);
});

it('picks at random', () => {
  const range = parseRange('10.83.0.0/16');
  assert.notEqual(pickAddress(range, new Set()), pickAddress(range, new Set()));
});
