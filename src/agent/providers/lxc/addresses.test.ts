import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeEngine } from '../../../../test/support/fake-engine.ts';
import { createAddresses } from './addresses.ts';
import { capacity, parseRange } from './address-range.ts';

const range = parseRange('10.84.1.0/26');
const instance = (name: string, address: string) => ({
  name,
  status: 'Stopped',
  config: {},
  devices: { eth0: { 'ipv4.address': address } },
});

it('gives an address that no instance has, and tells which', async () => {
  const others = Array.from({ length: capacity(range) - 1 }, (_, index) =>
    instance(`o${index}`, `10.84.1.${16 + index}`),
  );
  await using engine = await FakeEngine.start(() => ({ value: others }));
  const addresses = createAddresses(engine.client, async () => range);
  const made: string[] = [];
  const use = { make: async (address: string) => void made.push(address), move: () => assert.fail() };
  assert.equal(await addresses.assign('new', use), '10.84.1.62');
  assert.deepEqual(made, ['10.84.1.62']);
});

it('moves when another agent took the same meanwhile', async () => {
  let taken = '';
  await using engine = await FakeEngine.start(() => ({ value: taken ? [instance('other', taken)] : [] }));
  const addresses = createAddresses(engine.client, async () => range);
  let moved = '';
  const final = await addresses.assign('new', {
    make: async (address) => void (taken = address),
    move: async (address) => void (moved = address),
  });
  assert.equal(final, moved);
  assert.notEqual(final, taken);
});

it('says that there is none left, and lets go of what was not used', async () => {
  const all = Array.from({ length: capacity(range) }, (_, index) => instance(`o${index}`, `10.84.1.${16 + index}`));
  let known = all;
  await using engine = await FakeEngine.start(() => ({ value: known }));
  const addresses = createAddresses(engine.client, async () => range);
  const use = { make: () => Promise.reject(new Error('copy failed')), move: async () => undefined };
  await assert.rejects(addresses.assign('new', use), { code: 'insufficient_node_resources' });
  known = all.slice(1);
  for (let attempt = 0; attempt < 2; attempt++) await assert.rejects(addresses.assign('new', use), /copy failed/);
});
