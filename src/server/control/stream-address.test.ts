import assert from 'node:assert/strict';
import { it } from 'node:test';
import { streamAddressFor } from './stream-address.ts';

const address = { host: '10.0.0.5', port: 4000, certificate_sha256: 'AA:BB' };
const gateway = { ...address, machine: 'here' };

it('leads everybody to the address that the gateway listens on', () => {
  for (const machine of ['here', 'there']) assert.deepEqual(streamAddressFor(gateway, machine, 'nexus.test'), address);
});

it('leads others to the public name of a gateway that listens everywhere, and its own machine there directly', () => {
  for (const host of ['0.0.0.0', '::']) {
    const everywhere = { ...gateway, host };
    assert.equal(streamAddressFor(everywhere, 'here', 'nexus.test').host, '127.0.0.1');
    assert.equal(streamAddressFor(everywhere, 'there', 'nexus.test').host, 'nexus.test');
  }
});
