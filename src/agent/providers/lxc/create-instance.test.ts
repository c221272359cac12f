import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeEngine, type Answer } from '../../../../test/support/fake-engine.ts';
import { createAddresses } from './addresses.ts';
import { parseRange } from './address-range.ts';
import { copyBase } from './copy-base.ts';
import { createInstance } from './create-instance.ts';

const spec = {
  id: 'ws-abcdefghijkl',
  base: { name: 'base-1', image: 'debian:12', packages: [] },
  hostname: 'x',
  limits: { cpu: 1, memoryBytes: 1, diskBytes: 1, processes: 1 },
};

async function create(engine: FakeEngine): Promise<void> {
  const addresses = createAddresses(engine.client, async () => parseRange('10.83.0.0/16'));
  await createInstance(
    { engine: engine.client, addresses, clusterId: 'c', pool: 'p', guestApi: async () => 'security.devlxd' },
    spec,
  );
}

const plenty: Answer = { value: { space: { used: 0, total: 1e12 } } };

const withAnswer = (post: Answer) => (asked: { method: string; path: string }) => {
  if (asked.method === 'POST') return post;
  if (asked.path.endsWith('/resources')) return plenty;
  return asked.path === '/1.0/operations' ? { value: {} } : { value: [] };
};

it('leaves an instance that is there, once nothing goes on with it', async () => {
  await using engine = await FakeEngine.start(withAnswer({ operation: null, failure: 'This instance already exists' }));
  await create(engine);
  assert.ok(engine.calls.includes('GET /1.0/operations'));
});

it('says why an instance cannot be made', async () => {
  await using full = await FakeEngine.start(withAnswer({ operation: null, failure: 'No space left on device' }));
  await assert.rejects(create(full), { code: 'disk_full' });
  await using broken = await FakeEngine.start(withAnswer({ error: 'Invalid devices' }));
  await assert.rejects(create(broken), { code: 'container_start_failed' });
});

it('moves an instance whose address another agent took', async () => {
  let address = '';
  await using engine = await FakeEngine.start(({ method, path, body }) => {
    if (path.endsWith('/resources')) return plenty;
    if (method === 'POST') {
      address = (JSON.parse(body.toString()) as { devices: { eth0: { 'ipv4.address': string } } }).devices.eth0[
        'ipv4.address'
      ];
      return { operation: null };
    }
    if (method === 'PATCH') return { value: null };
    const other = { name: 'other', status: 'Running', config: {}, devices: { eth0: { 'ipv4.address': address } } };
    return { value: address ? [other] : [] };
  });
  await create(engine);
  assert.ok(engine.calls.includes('PATCH /1.0/instances/nexus-abcdefghijkl'));
});

it('begins the next when the one before has its ids, made or not', async () => {
  const name = 'nexus-abcdefghijkl';
  const posted: string[] = [];
  await using engine = await FakeEngine.start(({ method, path }) => {
    if (path.endsWith('/resources')) return plenty;
    if (method === 'POST') {
      posted.push('copy');
      return { endless: true };
    }
    if (path !== `/1.0/instances/${name}`) return { value: [] };
    posted.push('look');
    const config = posted.length < 4 ? {} : { 'volatile.idmap.next': '[]' };
    return posted.length < 3 ? { error: 'Instance not found', status: 404 } : { value: { config } };
  });
  void copyBase(engine.client, name, {}).catch(() => undefined);
  void copyBase(engine.client, name, {}).catch(() => undefined);
  while (posted.filter((one) => one === 'copy').length < 2) await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(posted.slice(0, 5), ['copy', 'look', 'look', 'look', 'copy']);
});
