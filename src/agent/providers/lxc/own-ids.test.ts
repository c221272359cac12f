import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeEngine } from '../../../../test/support/fake-engine.ts';
import { claimIds } from './own-ids.ts';

const path = '/1.0/instances/x';

it('tells the engine that the files have the ids that the instance will have, once', async () => {
  const config: Record<string, string> = { 'volatile.idmap.next': 'own', 'volatile.last_state.idmap': "the base's" };
  await using engine = await FakeEngine.start(({ method, body }) => {
    if (method === 'PATCH')
      Object.assign(config, (JSON.parse(body.toString()) as { config: Record<string, string> }).config);
    return { value: { config } };
  });
  await claimIds(engine.client, 'x');
  assert.equal(config['volatile.last_state.idmap'], 'own');
  await claimIds(engine.client, 'x');
  assert.deepEqual(engine.calls, [`GET ${path}`, `PATCH ${path}`, `GET ${path}`]);
});

it('leaves alone what the engine has given no ids', async () => {
  await using engine = await FakeEngine.start(() => ({ value: { config: {} } }));
  await claimIds(engine.client, 'x');
  assert.deepEqual(engine.calls, [`GET ${path}`]);
});

it('says why it cannot', async () => {
  await using engine = await FakeEngine.start(() => ({ error: 'database is locked', status: 500 }));
  await assert.rejects(claimIds(engine.client, 'x'), { code: 'container_start_failed' });
});

it('waits while another operation, of an agent that died say, has the instance', async () => {
  const config = { 'volatile.idmap.next': 'own', 'volatile.last_state.idmap': "the base's" };
  let refusals = 1;
  await using engine = await FakeEngine.start(({ method }) =>
    method === 'PATCH' && refusals-- > 0
      ? { error: 'Failed to create instance update operation: Instance is busy running a "create" operation' }
      : { value: { config } },
  );
  await claimIds(engine.client, 'x');
  assert.deepEqual(engine.calls, [`GET ${path}`, `PATCH ${path}`, `GET ${path}`, `PATCH ${path}`]);
});
