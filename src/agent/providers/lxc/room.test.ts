import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeEngine } from '../../../../test/support/fake-engine.ts';
import { requireRoom, shortOfRoom } from './room.ts';

const gibibyte = 1024 ** 3;

it('keeps the last of the pool and of the disk under it', async () => {
  let used = 0;
  await using engine = await FakeEngine.start(() => ({ value: { space: { used, total: 100 * gibibyte } } }));
  const plenty = async (): Promise<number> => 50 * gibibyte;
  assert.equal(await shortOfRoom(engine.client, 'p', plenty), null);
  assert.deepEqual(await shortOfRoom(engine.client, 'p', async () => 1000), {
    where: "the engine's disk",
    free_bytes: 1000,
  });
  used = 96 * gibibyte;
  assert.deepEqual(await shortOfRoom(engine.client, 'p', plenty), {
    where: 'the storage pool p',
    free_bytes: 4 * gibibyte,
  });
  await assert.rejects(requireRoom(engine.client, 'p'), { code: 'disk_full' });
});
