import assert from 'node:assert/strict';
import { it } from 'node:test';
import { networkRules } from './network-rules.ts';

const range = '10.83.0.0/16';

it('turns both name servers of the range into the first two of the host', () => {
  const rules = networkRules({ range, upstream: ['192.168.1.1', '9.9.9.9', '8.8.8.8'] });
  assert.match(rules, /ip daddr 10\.83\.0\.2 .* dnat ip to 192\.168\.1\.1$/m);
  assert.match(rules, /ip daddr 10\.83\.0\.3 .* dnat ip to 9\.9\.9\.9$/m);
  assert.doesNotMatch(rules, /8\.8\.8\.8/);
});

it('turns both into the only one, and none when there is none', () => {
  assert.equal(networkRules({ range, upstream: ['9.9.9.9'] }).match(/dnat ip to 9\.9\.9\.9/g)?.length, 2);
  assert.doesNotMatch(networkRules({ range, upstream: [] }), /dnat ip to/);
});

it('drops before it accepts', () => {
  const [, forward = ''] = networkRules({ range, upstream: [] }).split('chain through_host');
  const accept = forward.indexOf('iifname "nx*" accept');
  for (const drop of ['oifname "nx*" drop', '169.254.0.0/16', '"docker*"'])
    assert.ok(forward.indexOf(drop) > 0 && forward.indexOf(drop) < accept, drop);
});

it('replaces the table in one transaction', () => {
  assert.match(
    networkRules({ range, upstream: [] }),
    /^table inet nexus\ndelete table inet nexus\ntable inet nexus \{/,
  );
});
