import assert from 'node:assert/strict';
import { it } from 'node:test';
import { FakeEngine, type Answer } from '../../../../test/support/fake-engine.ts';
import { removeInstance, startInstance, stateOf, stopInstance, whenIdle } from './lifecycle.ts';

const done: Answer = { operation: null };
const running: Answer = { value: { status: 'Running', pid: 7 } };

it('starts what another operation still has, when that lets go of it', async () => {
  let refusals = 2;
  await using engine = await FakeEngine.start(() =>
    refusals-- > 0 ? { error: 'Instance is busy running a "create" operation' } : done,
  );
  await startInstance(engine.client, 'x');
  assert.equal(engine.calls.length, 3);
});

it('removes what an agent that died was already removing', async () => {
  const answers: Record<string, Answer[]> = {
    GET: [{ value: { status: 'Stopped', pid: 0 } }],
    DELETE: [
      { error: 'Failed to create instance delete operation: A matching non-reusable operation has now succeeded' },
      { error: 'Instance not found', status: 404 },
    ],
  };
  await using engine = await FakeEngine.start(({ method }) => answers[method]?.shift());
  await removeInstance(engine.client, 'x');
  assert.equal(engine.calls.length, 3);
});

it('takes a start of what runs for done', async () => {
  await using engine = await FakeEngine.start(() => ({ error: 'The instance is already running', status: 400 }));
  await startInstance(engine.client, 'x');
});

it('gives the reason of a failed start out of the instance’s log', async () => {
  const log = `lxc nexus 20260101 TRACE start - start.c:1 - all well
lxc nexus 20260101 ERROR conf - ../src/lxc/conf.c:run_buffer:321 - Script exited with status 1
`;
  await using engine = await FakeEngine.start(({ method }) =>
    method === 'PUT' ? { operation: null, failure: 'Failed to run: forkstart' } : { raw: log },
  );
  await assert.rejects(startInstance(engine.client, 'x'), (error: { code: string; message: string }) => {
    assert.equal(error.code, 'container_start_failed');
    assert.match(error.message, /forkstart; ERROR conf Script exited with status 1/);
    return true;
  });
});

it('says what it knows when there is no log', async () => {
  await using engine = await FakeEngine.start(({ method }) =>
    method === 'PUT' ? { operation: null, failure: 'no space left on device' } : undefined,
  );
  await assert.rejects(startInstance(engine.client, 'x'), { code: 'disk_full' });
});

it('kills what does not stop by itself, and what is frozen at once', async () => {
  for (const status of ['Running', 'Frozen']) {
    const actions: string[] = [];
    await using engine = await FakeEngine.start(({ method, body }) => {
      if (method === 'GET') return { value: { status, pid: 7 } };
      const { force } = JSON.parse(body.toString()) as { force?: boolean };
      actions.push(force ? 'kill' : 'stop');
      return force ? done : { operation: null, failure: 'timed out' };
    });
    await stopInstance(engine.client, 'x', { timeoutMs: 1000, force: false });
    assert.deepEqual(actions, status === 'Running' ? ['stop', 'kill'] : ['kill']);
  }
});

it('takes a stop of what stopped meanwhile for done', async () => {
  await using engine = await FakeEngine.start(({ method }) =>
    method === 'GET' ? running : { error: 'The instance is already stopped', status: 400 },
  );
  await stopInstance(engine.client, 'x', { timeoutMs: 1000, force: true });
});

it('says when it cannot be stopped or removed', async () => {
  await using engine = await FakeEngine.start(({ method }) => (method === 'GET' ? running : { error: 'broken' }));
  await assert.rejects(stopInstance(engine.client, 'x', { timeoutMs: 0, force: true }), /does not stop: broken/);
  await using other = await FakeEngine.start(({ method }) =>
    method === 'GET' ? { value: { status: 'Stopped', pid: 0 } } : { error: 'broken' },
  );
  await assert.rejects(removeInstance(other.client, 'x'), /cannot be removed: broken/);
});

it('has nothing to stop or remove where there is nothing', async () => {
  await using engine = await FakeEngine.start(() => undefined);
  assert.equal(await stateOf(engine.client, 'x'), null);
  await stopInstance(engine.client, 'x', { timeoutMs: 0, force: true });
  await removeInstance(engine.client, 'x');
});

it('passes on that the engine fails to tell the state', async () => {
  await using engine = await FakeEngine.start(() => ({ error: 'database is locked' }));
  await assert.rejects(stateOf(engine.client, 'x'), /database is locked/);
});

it('is removed by somebody else between the stop and the removal', async () => {
  await using engine = await FakeEngine.start(({ method }) =>
    method === 'GET' ? running : method === 'PUT' ? done : undefined,
  );
  await removeInstance(engine.client, 'x');
});

it('waits for the operations of an instance, and for no others', async () => {
  const operation = (id: string, name: string, kind = 'task') => ({
    id,
    class: kind,
    resources: { instances: [`/1.0/instances/${name}`] },
  });
  await using engine = await FakeEngine.start(({ path }) => {
    if (path !== '/1.0/operations')
      return { value: { id: 'a', status_code: 200, err: '', resources: null, metadata: null } };
    return {
      value: { running: [operation('mine', 'x'), operation('other', 'y'), operation('shell', 'x', 'websocket')] },
    };
  });
  await whenIdle(engine.client, 'x');
  assert.deepEqual(
    engine.asked.map(({ path }) => path),
    ['/1.0/operations', '/1.0/operations/mine/wait'],
  );
  await using idle = await FakeEngine.start(() => ({ value: {} }));
  await whenIdle(idle.client, 'x');
});
