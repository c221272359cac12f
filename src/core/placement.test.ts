import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ProviderHealth } from '../contract/node.ts';
import { headroomBytes, placeWorkspace, refuseUnplaceable, type Candidate } from './placement.ts';

const GiB = 2 ** 30;
const lxc: ProviderHealth = {
  name: 'lxc',
  ok: true,
  engine: 'lxd',
  version: '5.0.2',
  disk_total_bytes: 20 * GiB,
  disk_free_bytes: 10 * GiB,
  reason: null,
};

function node(name: string, changes: Partial<Candidate> = {}, health: Partial<ProviderHealth> = {}): Candidate {
  return { name, connected: true, draining: false, providers: [{ ...lxc, ...health }], workspaces: 0, ...changes };
}

test('the node with the fewest workspaces; the first by name among equals', () => {
  assert.equal(placeWorkspace([node('b', { workspaces: 2 }), node('a', { workspaces: 3 })], 'lxc'), 'b');
  assert.equal(placeWorkspace([node('b'), node('a')], 'lxc'), 'a');
});

test('not on a node that is away, drains, lacks the engine or is full', () => {
  const unable = [
    node('a', { connected: false }),
    node('b', { draining: true }),
    node('c', {}, { ok: false, reason: 'the engine does not run' }),
    node('d', {}, { disk_free_bytes: GiB }),
  ];
  assert.equal(placeWorkspace([...unable, node('e', { workspaces: 40 })], 'lxc'), 'e');
});

test('an engine that does not tell its room has some', () => {
  assert.equal(placeWorkspace([node('a', {}, { disk_free_bytes: null, disk_total_bytes: null })], 'lxc'), 'a');
});

const refusals: [string, Candidate[], string, RegExp][] = [
  ['no node', [], 'no_available_nodes', /none has joined/],
  ['all away', [node('a', { connected: false })], 'no_available_nodes', /a does not answer/],
  ['all draining', [node('a', { draining: true })], 'no_available_nodes', /draining/],
  ['engine ill', [node('a', {}, { ok: false, reason: 'no socket' })], 'provider_unavailable', /no socket/],
  ['nothing known', [node('a', { providers: [] })], 'no_available_nodes', /not told yet/],
  ['no such engine', [node('a', {}, { name: 'docker' })], 'provider_unavailable', /a has no lxc/],
  ['full', [node('a', {}, { disk_free_bytes: 1.9 * GiB })], 'disk_full', /lxc pool of a/],
  [
    'below 5 % of a large pool',
    [node('a', {}, { disk_total_bytes: 1000 * GiB, disk_free_bytes: 49 * GiB })],
    'disk_full',
    /pool/,
  ],
];
for (const [name, nodes, code, message] of refusals) {
  test(`refused: ${name}`, () => {
    assert.throws(() => placeWorkspace(nodes, 'lxc'), { code, message });
  });
}

test('the headroom is 2 GiB or 5 %, whichever is more', () => {
  assert.equal(headroomBytes(10 * GiB), 2 * GiB);
  assert.equal(headroomBytes(100 * GiB), 5 * GiB);
});

const nobody: [string, Candidate[], 'lxc' | 'docker', RegExp][] = [
  ['no node', [], 'lxc', /none has joined/],
  ['all draining', [node('a', { draining: true }), node('b', { draining: true })], 'lxc', /a, b takes no new ones/],
  ['another engine', [node('a'), node('b', { draining: true })], 'docker', /: a has no docker, only lxc\./],
];
for (const [name, nodes, provider, message] of nobody) {
  test(`nothing to wait for: ${name}`, () => {
    assert.throws(() => refuseUnplaceable(nodes, provider), { code: 'no_available_nodes', message });
  });
}

test('a workspace may wait for a node that is away, ill, full, or has told nothing yet', () => {
  const drains = node('z', { draining: true });
  for (const one of [
    node('a', { connected: false }),
    node('a', {}, { ok: false, reason: 'no socket' }),
    node('a', {}, { disk_free_bytes: 0 }),
    node('a', { providers: [] }),
  ])
    assert.doesNotThrow(() => refuseUnplaceable([drains, one], 'lxc'));
});
