import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serviceSpec, type ResolvedConfig } from '../../contract/service-spec.ts';
import { adoptConfig } from './adopt-config.ts';

const read: ResolvedConfig = {
  source: 'config',
  services: [serviceSpec.parse({ name: 'web', command: 'npm start' })],
  lifecycle: {},
  hook_files: [],
  packages: ['redis', 'jq'],
  image: 'debian:13',
  notes: [],
};

function seen(base: { image: string; packages: string[] } | null, config = read): Parameters<typeof adoptConfig>[1] {
  return {
    workspace_id: 'ws-abcdefghijkl',
    instance: 'running',
    provider: 'lxc',
    address: null,
    machine: 'm',
    base,
    configured: true,
    host_key: null,
    clone: null,
    config,
    hooks_done: [],
    services: [],
  };
}

const row = { image: 'debian:12', request: {}, config: null };

test('a base that lacks something is wanted otherwise, and nothing else is taken over yet', () => {
  assert.deepEqual(adoptConfig(row, seen({ image: 'debian:12', packages: [] })), {
    kind: 'base',
    image: 'debian:13',
    packages: ['jq', 'redis'],
  });
});

test("the request's image and packages count beside the configuration's", () => {
  const request = { image: 'ubuntu:22.04', packages: ['git', 'jq'] };
  assert.deepEqual(adoptConfig({ ...row, request }, seen({ image: 'ubuntu:22.04', packages: [] })), {
    kind: 'base',
    image: 'ubuntu:22.04',
    packages: ['git', 'jq', 'redis'],
  });
});

test('the configuration is taken over in the right base, in whatever order it names its packages', () => {
  const base = { image: 'debian:13', packages: ['redis', 'jq', 'jq'] };
  assert.deepEqual(adoptConfig(row, seen(base)), { kind: 'config', config: read });
  assert.equal(adoptConfig(row, seen(null)).kind, 'config');
  const plain = { ...read, image: null, packages: [] };
  assert.equal(adoptConfig(row, seen({ image: 'debian:12', packages: [] }, plain)).kind, 'config');
});

test('a workspace in use keeps its base', () => {
  assert.equal(adoptConfig({ ...row, config: read }, seen({ image: 'debian:12', packages: [] })).kind, 'config');
});

test('services of the request win', () => {
  const services = [serviceSpec.parse({ name: 'api', command: 'node api.js' })];
  const adoption = adoptConfig({ ...row, request: { services } }, seen(null));
  assert.deepEqual(adoption, { kind: 'config', config: { ...read, source: 'request', services } });
});
