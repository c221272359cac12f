import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMetrics } from './metrics.ts';
import { insertNode, updateNode, deleteNode } from './store/nodes.ts';
import { openStore } from './store/store.ts';

const ports = { ssh: { first: 2222, last: 2229 }, services: { first: 23_000, last: 23_009 } };

test('what is observed is scraped, and what stands in the store as it is then', async () => {
  const now = (): Date => new Date('2026-01-17T10:00:30.000Z');
  await using store = await openStore(':memory:', { now });
  const metrics = createMetrics({ store, config: { ports }, now });
  metrics.workspaceCreated(1.2);
  metrics.serviceStarted(0.3);
  metrics.sshConnected(0.004);
  metrics.httpAnswered({ method: 'GET', route: '/health', status: 200, seconds: 0.002 });
  const keys = { role: 'agent', public_key: 'p', version: null, machine: null } as const;
  await store.transaction(async (tx) => {
    await insertNode(tx, { name: 'node-1', ...keys });
    await updateNode(tx, 'node-1', { last_heartbeat: '2026-01-17T10:00:25.500Z' });
    await insertNode(tx, { name: 'node-2', ...keys });
  });
  const lines = async (): Promise<string[]> => (await metrics.scrape()).text.split('\n');
  const first = await lines();
  for (const line of [
    'nexus_workspace_creation_seconds_bucket{le="2"} 1',
    'nexus_service_start_seconds_sum 0.3',
    'nexus_ssh_connect_seconds_bucket{le="0.005"} 1',
    'nexus_http_request_seconds_sum{method="GET",route="/health",status="200"} 0.002',
    'nexus_ports_free{pool="ssh"} 8',
    'nexus_node_last_heartbeat_seconds{node="node-1"} 4.5',
  ])
    assert.ok(first.includes(line), line);
  assert.equal(
    first.some((line) => line.includes('node-2')),
    false,
  );
  await store.transaction((tx) => deleteNode(tx, 'node-1'));
  assert.equal(
    (await lines()).some((line) => line.includes('node="node-1"')),
    false,
  );
});
