import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  guestApiSetting,
  instanceBody,
  isWorkspaceOf,
  limitConfig,
  toInstance,
  type EngineInstance,
} from './instance-config.ts';
import { interfaceName } from './layout.ts';

const limits = { cpu: 2, memoryBytes: 1000, diskBytes: 2000, processes: 30 };

it('asks for an unprivileged copy of the base with its limits and its address', () => {
  const body = instanceBody(
    { id: 'ws-abcdefghijkl', base: { name: 'base-1', image: 'debian:12', packages: [] }, hostname: 'web', limits },
    { cluster: 'c', pool: 'p', address: '10.83.0.20', mtu: 1400, guestApi: 'security.devlxd' },
  ) as {
    name: string;
    source: unknown;
    config: Record<string, string>;
    devices: Record<string, Record<string, string>>;
  };
  assert.equal(body.name, 'nexus-abcdefghijkl');
  assert.deepEqual(body.source, { type: 'copy', source: 'base-1', instance_only: true });
  assert.equal(body.config['security.nesting'], 'false');
  assert.equal(body.config['security.privileged'], 'false');
  assert.equal(body.config['security.idmap.isolated'], 'true');
  assert.match(body.config['security.syscalls.deny'] ?? '', /^keyctl errno 38$/m);
  assert.equal(body.config['security.devlxd'], 'false');
  assert.equal(body.config['raw.lxc'], 'lxc.rootfs.options = idmap=container\nlxc.uts.name = web');
  assert.equal(body.config['user.nexus.cluster'], 'c');
  assert.equal(body.devices['root']?.['size'], '2000B');
  assert.equal(body.devices['eth0']?.['ipv4.address'], '10.83.0.20');
  assert.equal(body.devices['eth0']?.['mtu'], '1400');
});

it("calls the engine's API for guests as the engine does", () => {
  assert.deepEqual(['lxd', 'incus'].map(guestApiSetting), ['security.devlxd', 'security.guestapi']);
});

it('lets nothing but a name into the raw settings', () => {
  const hostname = 'x\nlxc.mount.entry = / host none bind';
  const base = { name: 'base-1', image: 'debian:12', packages: [] };
  const body = instanceBody(
    { id: 'ws-abcdefghijkl', base, hostname, limits },
    { cluster: 'c', pool: 'p', address: '10.83.0.20', mtu: 1500, guestApi: 'security.guestapi' },
  ) as { config: Record<string, string> };
  assert.equal(
    body.config['raw.lxc'],
    'lxc.rootfs.options = idmap=container\nlxc.uts.name = x-lxc-mount-entry-----host-none-bind',
  );
});

it('gives whole processors with a low weight, and a share of time for a part of one', () => {
  assert.deepEqual(limitConfig(limits), {
    'limits.cpu': '2',
    'limits.cpu.allowance': '10%',
    'limits.memory': '1000B',
    'limits.processes': '30',
  });
  assert.equal(limitConfig({ ...limits, cpu: 1.5 })['limits.cpu'], '2');
  assert.equal(limitConfig({ ...limits, cpu: 1.5 })['limits.cpu.allowance'], '150ms/100ms');
});

const found: EngineInstance = {
  name: 'nexus-abcdefghijkl',
  status: 'Running',
  config: { 'user.nexus.cluster': 'c', 'user.nexus.workspace': 'ws-abcdefghijkl', 'user.nexus.base': 'base-1' },
  devices: { eth0: { 'ipv4.address': '10.83.0.20' } },
};

it('understands what the engine says of an instance', () => {
  assert.deepEqual(toInstance(found), {
    id: 'ws-abcdefghijkl',
    state: 'running',
    address: '10.83.0.20',
    base: 'base-1',
  });
  assert.equal(toInstance({ ...found, status: 'Frozen' })?.state, 'frozen');
  assert.equal(toInstance({ ...found, status: 'Error' })?.state, 'stopped');
  assert.equal(toInstance({ ...found, config: {} }), null);
  assert.deepEqual(toInstance({ ...found, config: { 'user.nexus.workspace': 'ws-a' }, devices: {} }), {
    id: 'ws-a',
    state: 'running',
    address: null,
    base: '',
  });
});

it('tells its own instances from others', () => {
  assert.ok(isWorkspaceOf('c', found));
  assert.ok(!isWorkspaceOf('d', found));
  assert.ok(!isWorkspaceOf('c', { ...found, name: 'base-1' }));
});

it('names interfaces in the 15 characters that there are', () => {
  for (const name of ['nexus-abcdefghijkl', 'base-0123456789ab', 'unfinished-0123456789ab'])
    assert.ok(/^nx[a-z0-9]{12}$/.test(interfaceName(name)), name);
});
