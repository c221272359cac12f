import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { hostMtu } from './host-mtu.ts';

const routes = `Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
eth1\t0002000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
eth0\t00000000\t010200C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
`;

async function withMtu(mtu: string | null, table: string): Promise<number> {
  const root = await mkdtemp(join(tmpdir(), 'nexus-mtu-'));
  await mkdir(join(root, 'proc/net'), { recursive: true });
  await writeFile(join(root, 'proc/net/route'), table);
  await mkdir(join(root, 'sys/class/net/eth0'), { recursive: true });
  if (mtu !== null) await writeFile(join(root, 'sys/class/net/eth0/mtu'), mtu);
  const found = await hostMtu(root);
  await rm(root, { recursive: true });
  return found;
}

it('takes the MTU of the interface of the default route, and never a larger one than usual', async () => {
  assert.equal(await withMtu('1400\n', routes), 1400);
  assert.equal(await withMtu('9000\n', routes), 1500);
});

it('takes the usual one when it cannot know', async () => {
  assert.equal(await withMtu(null, routes), 1500);
  assert.equal(await withMtu('1400\n', ''), 1500);
  assert.equal(await hostMtu('/no/such/root'), 1500);
});
