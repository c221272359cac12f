import assert from 'node:assert/strict';
import { it } from 'node:test';
import { networkRules } from './network-rules.ts';

const range = '10.83.0.0/16';
const host = { hostNetworks: ['192.168.1.0/24'], reach: ['192.168.1.20'] };

it('turns both name servers of the range into the first two of the host', () => {
  const rules = networkRules({ ...host, range, upstream: ['192.168.1.1', '9.9.9.9', '8.8.8.8'] });
  assert.match(rules, /ip daddr 10\.83\.0\.2 .* dnat ip to 192\.168\.1\.1$/m);
  assert.match(rules, /ip daddr 10\.83\.0\.3 .* dnat ip to 9\.9\.9\.9$/m);
  assert.doesNotMatch(rules, /8\.8\.8\.8/);
});

it('turns both into the only one, and none when there is none', () => {
  assert.equal(networkRules({ ...host, range, upstream: ['9.9.9.9'] }).match(/dnat ip to 9\.9\.9\.9/g)?.length, 2);
  assert.doesNotMatch(networkRules({ ...host, range, upstream: [] }), /dnat ip to/);
});

it('refuses before it lets out, and lets out what may be reached in a network that is refused', () => {
  const [, forward = ''] = networkRules({ ...host, range, upstream: [] }).split('chain through_host');
  const out = forward.indexOf('iifname "nx*" goto internet');
  for (const refused of ['oifname "nx*" goto', '169.254.0.0/16', '"docker*"', '192.168.1.0/24'])
    assert.ok(forward.indexOf(refused) > 0 && forward.indexOf(refused) < out, refused);
  const reached = forward.indexOf('ip daddr 192.168.1.20 goto internet');
  assert.ok(reached > forward.indexOf('169.254.0.0/16') && reached < forward.indexOf('192.168.1.0/24'));
});

it('replaces the table in one transaction', () => {
  assert.match(
    networkRules({ ...host, range, upstream: [] }),
    /^table inet nexus\ndelete table inet nexus\ntable inet nexus \{/,
  );
});
