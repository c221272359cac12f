import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeEngine } from '../../../test/support/fake-engine.ts';
import { poolSize, projectStep, storageStep } from './engine-storage.ts';

const gibibyte = 1024 ** 3;
const quiet = (): void => undefined;

it('leaves headroom on the disk, and does what is asked where there is room', () => {
  assert.equal(poolSize({ freeBytes: 100 * gibibyte }), 85 * gibibyte);
  assert.equal(poolSize({ freeBytes: 30 * gibibyte }), 20 * gibibyte);
  assert.equal(poolSize({ freeBytes: 9000 * gibibyte }), 500 * gibibyte);
  assert.equal(poolSize({ freeBytes: 100 * gibibyte, askedBytes: 50 * gibibyte + 1 }), 50 * gibibyte);
  for (const wrong of [{ freeBytes: 14 * gibibyte }, { freeBytes: 20 * gibibyte, askedBytes: 21 * gibibyte }])
    assert.throws(() => poolSize(wrong), { code: 'disk_full' });
});

it('makes the pool when there is none', async () => {
  let made = false;
  await using engine = await FakeEngine.start(({ method }) => {
    if (method === 'POST') made = true;
    return made ? { value: { driver: 'btrfs', status: 'Created' } } : undefined;
  });
  const step = storageStep(engine.client, { pool: 'p', poolBytes: 6 * gibibyte });
  assert.deepEqual(await step.check(), { detail: 'there is no storage pool p' });
  await step.apply(quiet);
  assert.equal(await step.check(), null);
  assert.equal(step.describe(), 'pool p (btrfs)');
  const [, post] = engine.asked;
  assert.equal(
    (JSON.parse(post?.body.toString() ?? '') as { config: { size: string } }).config.size,
    `${6 * gibibyte}B`,
  );
});

it('says in what state a pool is that cannot be used', async () => {
  await using engine = await FakeEngine.start(() => ({ value: { driver: 'btrfs', status: 'Errored' } }));
  assert.match((await storageStep(engine.client, { pool: 'p' }).check())?.detail ?? '', /p is Errored/);
});

it('passes on why there is no pool', async () => {
  await using engine = await FakeEngine.start(() => ({ error: 'mkfs.btrfs: no space left on device' }));
  const step = storageStep(engine.client, { pool: 'p', poolBytes: 6 * gibibyte });
  await assert.rejects(step.check(), { code: 'disk_full' });
  await assert.rejects(step.apply(quiet), { code: 'disk_full' });
});

it('makes the project, or gives it the network that is asked for', async () => {
  let config: Record<string, string> | null = null;
  await using engine = await FakeEngine.start(({ method, body }) => {
    if (method === 'POST') return { error: 'The project already exists', status: 409 };
    if (method === 'PATCH') ({ config } = JSON.parse(body.toString()) as { config: Record<string, string> });
    return config === null ? undefined : { value: { config } };
  });
  const step = projectStep(engine.client, { range: '10.83.0.0/16', reach: ['192.168.1.20'] });
  assert.match((await step.check())?.detail ?? '', /there is no project test/);
  await step.apply(quiet);
  assert.equal(await step.check(), null);
  assert.match(step.describe(), /project test/);
  const other = projectStep(engine.client, { range: '10.90.0.0/16', reach: [] });
  assert.match((await other.check())?.detail ?? '', /range 10\.83\.0\.0\/16, not 10\.90\.0\.0\/16/);
  const closed = projectStep(engine.client, { range: '10.83.0.0/16', reach: [] });
  assert.match((await closed.check())?.detail ?? '', /may reach 192\.168\.1\.20 beside the host/);
});
