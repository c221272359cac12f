import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hostNetworks, parseDirectRoutes } from './host-networks.ts';

const row = (name: string, destination: string, gateway: string, mask: string): string =>
  [name, destination, gateway, '0001', '0', '0', '0', mask, '0', '0', '0'].join('\t');

it('knows the networks that are reached without a router, but for those of workspaces', () => {
  const table = [
    'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
    row('eth0', '00000000', '0101A8C0', '00000000'),
    row('eth0', '0001A8C0', '00000000', '00FFFFFF'),
    row('wg0', '0000080A', '00000000', '0000FEFF'),
    row('nxabcdefghijkl', '3FD1530A', '00000000', 'FFFFFFFF'),
    row('ppp0', '00000000', '00000000', '00000000'),
    row('eth0', '0000100A', '0101A8C0', '0000FFFF'),
    '',
  ].join('\n');
  assert.deepEqual(parseDirectRoutes(table), ['192.168.1.0/24', '10.8.0.0/15']);
  assert.deepEqual(parseDirectRoutes(''), []);
});

it('reads those of this machine', async () => {
  for (const network of await hostNetworks()) assert.match(network, /^\d+\.\d+\.\d+\.\d+\/\d+$/);
});
