import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HealthView, NodeView, StatusView } from '../../contract/node.ts';
import { requireRoot } from '../server/require-root.ts';
import { engineFindings, nodeFindings, statusFindings } from './server-findings.ts';

const status = {
  gateway: { connected: true, version: '1.0.0' },
  ports: { ssh: { total: 78, free: 78 }, services: { total: 1000, free: 1000 } },
  disk: { free_bytes: 50, total_bytes: 100 },
  database: { path: '/data/nexus.db', size_bytes: 1, schema_version: '1' },
} as StatusView;

const statuses: readonly [name: string, change: Partial<StatusView>, expected: readonly string[]][] = [
  ['well', {}, ['ok', 'ok', 'ok']],
  ['a gateway of an unknown version', { gateway: { connected: true, version: null } }, ['ok', 'ok', 'ok']],
  ['no gateway', { gateway: { connected: false, version: null } }, ['broken', 'ok', 'ok']],
  ['few SSH ports', { ports: { ...status.ports, ssh: { total: 78, free: 2 } } }, ['ok', 'warning', 'ok']],
  [
    'few ports of services',
    { ports: { ...status.ports, services: { total: 1000, free: 0 } } },
    ['ok', 'warning', 'ok'],
  ],
  ['a full disk', { disk: { free_bytes: 9, total_bytes: 100 } }, ['ok', 'ok', 'warning']],
];
for (const [name, change, expected] of statuses) {
  test(`the server: ${name}`, () =>
    assert.deepEqual(
      statusFindings({ ...status, ...change }).map((finding) => finding.status),
      expected,
    ));
}

test('a gateway that is away is looked for in its log', () => {
  const [gateway] = statusFindings({ ...status, gateway: { connected: false, version: null } });
  assert.equal(gateway?.fix, 'sudo tail -n 20 /data/logs/gateway.log');
});

function nodes(entries: HealthView['nodes']): (string | null)[][] {
  return nodeFindings({ nodes: entries } as HealthView, 'https://nexus').map(({ name, status, detail, fix }) => [
    name,
    status,
    detail,
    fix,
  ]);
}

test('nodes', () => {
  assert.deepEqual(nodes({}), [['nodes', 'broken', 'there are none', 'nexus node token node-1']]);
  const heard = '2026-01-17T10:00:00Z';
  assert.deepEqual(
    nodes({
      a: { status: 'ready', last_heartbeat: heard, workspaces: 2 },
      b: { status: 'unreachable', last_heartbeat: heard, workspaces: 0 },
      c: { status: 'unreachable', last_heartbeat: null, workspaces: 0 },
    }),
    [
      ['node a', 'ok', 'ready, workspaces: 2', null],
      [
        'node b',
        'broken',
        `is unreachable, last heard of ${heard}: on it, its agent has to run and to reach the server`,
        'sudo nexus agent start --server https://nexus --name b',
      ],
      [
        'node c',
        'broken',
        'is unreachable, last heard of never: on it, its agent has to run and to reach the server',
        'sudo nexus agent start --server https://nexus --name c',
      ],
    ],
  );
});

test('engines', () => {
  const lxc = { name: 'lxc', ok: true, engine: 'lxd', version: '5', reason: null } as const;
  const gibibyte = 2 ** 30;
  const disk = (free: number) => ({ disk_total_bytes: 100 * gibibyte, disk_free_bytes: free * gibibyte });
  const node = (name: string, status: NodeView['status'], provider: NodeView['providers'][number]): NodeView =>
    ({ name, status, providers: [provider], unknown_instances: name === 'd' ? ['ws-abc'] : [] }) as unknown as NodeView;
  const findings = engineFindings([
    node('a', 'ready', { ...lxc, ...disk(50) }),
    node('b', 'ready', { ...lxc, ...disk(4) }),
    node('c', 'draining', { ...lxc, ok: false, reason: 'no engine listens there', ...disk(0) }),
    node('d', 'ready', { ...lxc, disk_total_bytes: null, disk_free_bytes: null }),
    node('e', 'unreachable', { ...lxc, ...disk(0) }),
  ]);
  assert.deepEqual(
    findings.map(({ name, status: how, detail, fix }) => [name, how, detail, fix]),
    [
      ['lxc of a', 'ok', 'lxd 5, 50 GiB free', null],
      ['lxc of b', 'broken', 'takes no new workspaces: only 4 GiB free', 'nexus workspace list'],
      ['lxc of c', 'broken', 'is not available: no engine listens there', 'sudo nexus node setup'],
      ['lxc of d', 'ok', 'lxd 5', null],
      [
        'instances of d',
        'warning',
        'no workspace knows nexus-abc: look what is in there before it is removed',
        'sudo lxc delete --force --project nexus nexus-abc',
      ],
    ],
  );
});

test('what changes the machine needs root', () => {
  requireRoot('nexus node setup', 0);
  assert.throws(() => requireRoot('nexus node setup', 1000), { next: 'sudo nexus node setup', exitCode: 1 });
});
