import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NexusError } from '../../src/contract/errors.ts';
import { findService, updateService } from '../../src/server/store/services.ts';
import { listPorts } from '../../src/server/store/ports.ts';
import { updateWorkspace } from '../../src/server/store/workspaces.ts';
import { createApiWorld } from '../support/api-world.ts';
import type { ApiWorld } from '../support/api-world.ts';

const services = [
  { name: 'web', command: 'npm run dev', port: 3000 },
  { name: 'worker', command: 'npm run worker' },
];

async function runningWorkspace(world: ApiWorld, name = 'w', user = 'alice'): Promise<string> {
  const body = { workspace_name: name, repo: { owner: 'o', name: 'r' }, services };
  const { workspace_id } = await world.client(user).call('createWorkspace', { body });
  await world.settle(workspace_id);
  return workspace_id;
}

test('services are listed in their order, of one workspace and of all', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await runningWorkspace(world);
  await runningWorkspace(world, 'bobs', 'bob');
  const error = new NexusError('service_start_failed', { service: 'web', reason: 'it died' }).toBody();
  const seen = {
    status: 'error',
    health: 'unhealthy',
    mapped_port: 23_000,
    last_check: '2026-01-17T10:31:30Z',
    error_json: JSON.stringify(error),
  };
  await world.store.transaction((tx) => updateService(tx, id, 'web', seen));
  const web = {
    name: 'web',
    status: 'error',
    port: 3000,
    mapped_port: 23_000,
    health: 'unhealthy',
    url: 'http://localhost:23000',
    last_check: '2026-01-17T10:31:30Z',
    command: 'npm run dev',
    error,
  };
  const worker = {
    name: 'worker',
    status: 'pending',
    port: null,
    mapped_port: null,
    health: 'unknown',
    url: null,
    last_check: null,
    command: 'npm run worker',
    error: null,
  };
  assert.deepEqual(await client.call('listWorkspaceServices', { params: { id } }), { services: [web, worker] });
  const of = { workspace_id: id, workspace_name: 'w' };
  assert.deepEqual(await client.call('listServices'), {
    services: [
      { ...web, ...of },
      { ...worker, ...of },
    ],
  });
  assert.deepEqual(await world.client('carol').call('listServices'), { services: [] });
});

test('a service is started, stopped and restarted by its node', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await runningWorkspace(world);
  const want = async (): Promise<string | undefined> => (await findService(world.store.db, id, 'web'))?.want;
  const params = { id, name: 'web' };
  world.asked.length = 0;
  assert.equal((await client.call('stopService', { params })).name, 'web');
  assert.equal(await want(), 'stopped');
  await client.call('restartService', { params });
  assert.equal(await want(), 'running');
  await client.call('startService', { params });
  assert.deepEqual(world.asked, ['service web stop', 'service web restart', 'service web start']);
});

test('what cannot be done to a service says why', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await runningWorkspace(world);
  const start = (name: string): Promise<unknown> => client.call('startService', { params: { id, name } });
  await assert.rejects(start('wbe'), { code: 'not_found', message: 'There is no service wbe. Did you mean web?' });
  await assert.rejects(start('-'), { code: 'not_found', message: 'There is no service -.' });
  world.reconciler.serviceCommand = async () => {
    throw new NexusError('node_unreachable', { node: 'node-1' });
  };
  await assert.rejects(start('web'), { code: 'node_unreachable' });
  await client.call('stopWorkspace', { params: { id } });
  await assert.rejects(start('web'), { code: 'workspace_not_running', message: 'w is not running (it is stopped).' });
});

test('a port of a service is mapped once, and its own port becomes part of it', async () => {
  await using world = await createApiWorld({ env: { NEXUS_PORTS_SERVICES: '23000-23001' } });
  const client = world.client();
  const id = await runningWorkspace(world);
  const forward = (name: string, port?: number): Promise<unknown> =>
    client.call('forwardServicePort', { params: { id, name }, ...(port === undefined ? {} : { body: { port } }) });
  const web = { name: 'web', port: 3000, mapped_port: 23_000, url: 'http://localhost:23000' };
  assert.deepEqual(await forward('web'), web);
  assert.deepEqual(await forward('web', 3000), web);
  assert.deepEqual(await forward('worker', 9229), {
    name: 'worker',
    port: 9229,
    mapped_port: 23_001,
    url: 'http://localhost:23001',
  });
  assert.equal(world.asked.filter((one) => one === 'routes').length, 3);
  const view = await client.call('getWorkspace', { params: { id } });
  assert.deepEqual([view.services['web']?.url, view.services['worker']?.url], ['http://localhost:23000', null]);
  await assert.rejects(forward('web', 3001), {
    code: 'port_pool_exhausted',
    details: { pool: 'service', first: 23_000, last: 23_001 },
  });
  await assert.rejects(forward('worker'), {
    code: 'invalid_request',
    message: /port: is required, as the service declares none/,
  });
  await assert.rejects(forward('web', 0), { code: 'invalid_request' });
  await assert.rejects(forward('nothing', 1), { code: 'not_found' });
  await world.store.transaction((tx) => updateWorkspace(tx, id, { want: 'deleted', status: 'deleting' }));
  await assert.rejects(forward('web'), { code: 'workspace_not_running', details: { name: 'w', status: 'deleting' } });
});

test('a port of the host that another process has is skipped when a port is mapped, and kept once it was given', async () => {
  await using world = await createApiWorld({ env: { NEXUS_PORTS_SERVICES: '23000-23003' } });
  const id = await runningWorkspace(world);
  const occupied = new Set([23_000, 23_001]);
  world.reconciler.routesApplied = async () => occupied;
  const forward = async (port: number): Promise<number> => {
    const call = { params: { id, name: 'web' }, body: { port } };
    return (await world.client().call('forwardServicePort', call)).mapped_port;
  };
  assert.equal(await forward(9229), 23_002);
  occupied.add(23_002);
  assert.equal(await forward(9229), 23_002);
  assert.equal(await forward(9230), 23_003);
  const ports = await listPorts(world.store.db, id);
  assert.deepEqual(
    ports.filter(({ pool }) => pool === 'services').map(({ port }) => port),
    [23_002, 23_003],
  );
});
