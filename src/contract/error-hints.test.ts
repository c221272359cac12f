import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ErrorCode, ErrorDetails } from './errors.ts';
import { NexusError } from './errors.ts';

function said<C extends ErrorCode>(code: C, details: ErrorDetails<C>): [message: string, hint: string | null] {
  const { message, hint } = new NexusError(code, details);
  return [message, hint];
}

const taken = { owner: 'alice', name: 'shop', workspace_id: 'ws-k3v9x1m2p4q8' };
const waysOn: readonly [status: string | undefined, hint: string][] = [
  [undefined, 'nexus workspace connect shop'],
  ['running', 'nexus workspace connect shop'],
  ['pending', 'nexus workspace status shop --watch'],
  ['creating', 'nexus workspace status shop --watch'],
  ['error', 'nexus workspace delete shop'],
  ['deleting', 'nexus workspace delete shop'],
];
for (const [status, hint] of waysOn) {
  test(`a name whose workspace is ${status ?? 'there'} leads on with ${hint}`, () => {
    const details = status === undefined ? taken : { ...taken, status };
    assert.equal(said('workspace_already_exists', details)[1], hint);
  });
}

test('a folder that was sent is not called by a URL', () => {
  assert.deepEqual(said('clone_failed', { url: '', reason: 'its submodule x could not be cloned' }), [
    'Could not clone the folder that was sent: its submodule x could not be cloned.',
    'nexus workspace logs NAME',
  ]);
});

test('what there is stands in the list of its kind', () => {
  assert.equal(said('not_found', { kind: 'workspace', name: 'x' })[1], 'nexus workspace list');
  assert.equal(said('not_found', { kind: 'service', name: 'x' })[1], 'nexus workspace services NAME');
  assert.equal(said('not_found', { kind: 'service', name: 'x', workspace: 'a' })[1], 'nexus workspace services a');
  assert.equal(said('not_found', { kind: 'node', name: 'x' })[1], 'nexus node list');
  assert.match(said('not_found', { kind: 'endpoint', name: 'GET /x' })[1] ?? '', /openapi\.json/);
  assert.equal(said('not_found', { kind: 'program', name: 'nexus-win32-x64' })[1], null);
  assert.match(said('not_found', { kind: 'program', name: 'nexus-darwin-x64' })[1] ?? '', /^make build-all && install/);
});

test('only an engine that can be set up is told to be', () => {
  assert.equal(said('provider_unavailable', { provider: 'lxc', reason: 'r' })[1], 'nexus node setup');
  assert.equal(said('provider_unavailable', { provider: 'docker', reason: 'r' })[1], 'nexus node list');
});

const configurations: readonly [
  details: { file: string; of?: 'repository' | 'server' | 'data' },
  hint: string | null,
][] = [
  [{ file: '.nexus/config.yaml' }, 'nexus config validate'],
  [{ file: 'server.yaml', of: 'server' }, 'nexus server start --config server.yaml'],
  [{ file: 'environment', of: 'server' }, 'nexus server start --help'],
  [{ file: '/var/lib/nexus/nexus.db', of: 'data' }, 'ls -l /var/lib/nexus/nexus.db*'],
];
for (const [details, hint] of configurations) {
  test(`what is wrong in ${details.file} leads on with ${hint ?? 'nothing'}`, () => {
    assert.equal(said('config_invalid', { ...details, problems: [] })[1], hint);
  });
}
