import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { NexusError } from '../contract/errors.ts';
import { loadConfig } from './load-config.ts';

/** What loading the text as a file gives, or its error's message with the file called `F`. */
function load(text: string, env: Record<string, string> = {}): ReturnType<typeof loadConfig> | string {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-config-'));
  const file = join(folder, 'server.yaml');
  try {
    writeFileSync(file, text);
    return loadConfig({ file, env });
  } catch (error) {
    assert.ok(error instanceof NexusError);
    assert.equal(error.code, 'config_invalid');
    return error.message.replaceAll(file, 'F');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function messageOf(text: string, env: Record<string, string> = {}): string {
  const result = load(text, env);
  assert.ok(typeof result === 'string');
  return result;
}

test('every key has a default', () => {
  const config = loadConfig({ env: {} });
  assert.equal(config.data_dir, '/var/lib/nexus');
  assert.deepEqual(config.listen, { host: '127.0.0.1', port: 3001 });
  assert.deepEqual(config.ports, { ssh: { first: 2222, last: 2299 }, services: { first: 23_000, last: 23_999 } });
  assert.equal(config.limits.memory, 4e9);
  assert.deepEqual(load(''), config);
});

test('the file stands over the defaults, the environment over both', () => {
  const env = {
    NEXUS_DATA_DIR: '/data',
    NEXUS_LISTEN_PORT: '0',
    NEXUS_PORTS_SSH: '3000-3010',
    NEXUS_PUBLIC_HOST: '10',
    NEXUS_ADMINS: 'alice, bob',
    NEXUS_LIMITS_MEMORY: '1GiB',
    NEXUS_METRICS_PUBLIC: 'true',
    NEXUS_NODE_NAME: '',
    NEXUS_TOKEN: 'not ours',
  };
  const config = load('listen: { host: 0.0.0.0, port: 80 }\nnode: { name: n }\n', env);
  assert.ok(typeof config !== 'string');
  assert.deepEqual(config.listen, { host: '0.0.0.0', port: 0 });
  assert.equal(config.data_dir, '/data');
  assert.deepEqual(config.ports.ssh, { first: 3000, last: 3010 });
  assert.equal(config.public_host, '10');
  assert.deepEqual(config.admins, ['alice', 'bob']);
  assert.equal(config.limits.memory, 2 ** 30);
  assert.equal(config.metrics.public, true);
  assert.equal(config.node.name, 'n');
  assert.deepEqual(loadConfig({ env: { NEXUS_TLS_CERT: 'c', NEXUS_TLS_KEY: 'k' } }).tls, { cert: 'c', key: 'k' });
});

const broken: readonly [name: string, text: string, expected: string][] = [
  [
    'an unknown key, and the nearest',
    'data_dir: /x\nlisten:\n  prot: 3\n',
    'F:3:3: listen.prot: is not known; did you mean port?',
  ],
  ['an unknown key at the top', 'listn: {}\n', 'F:1:1: listn: is not known; did you mean listen?'],
  [
    'a key of another place',
    'workspaces_per_user: 3\n',
    'F:1:1: workspaces_per_user: is not known; did you mean limits.workspaces_per_user?',
  ],
  ['a key like none', 'zzzzzzzz: 3\n', 'F:1:1: zzzzzzzz: is not known'],
  ['a wrong value', 'listen:\n  port: many\n', 'F:2:9: listen.port: must be a number'],
  ['a range the wrong way round', 'ports: { ssh: 9-3 }', 'F:1:15: ports.ssh: must be a range within 1-65535'],
  [
    'ranges that share ports',
    'ports: { ssh: 100-200, services: 200-300 }',
    'F:1:8: ports: must be two ranges that have no port in common',
  ],
  ['a name that is none', 'node: { name: A B }', 'F:1:15: node.name: must be 1 to 40 of a-z, 0-9 and -'],
  ['a missing value', 'tls:\n  cert: x\n', 'F:2:3: tls.key: is required'],
  ['all problems', 'admins: alice\nlisten: 3\n', 'F:2:9: listen: must be an object\nF:1:9: admins: must be a list'],
  ['no map', '- a\n', 'F:1:1: file: must be an object'],
];
for (const [name, text, expected] of broken) {
  test(`a broken file is refused with its place: ${name}`, () => assert.equal(load(text), expected));
}

test('broken YAML is refused with its place', () => {
  assert.match(messageOf('a: b\nc: [1, 2\n'), /^F:3:1: YAML: Flow sequence/);
});

test('a file made to harm is refused soon, and as the server’s', () => {
  const start = performance.now();
  const bomb = Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`).join('\n');
  const files: [string, string, RegExp][] = [
    [
      'a million keys',
      Array.from({ length: 1_000_000 }, (_, i) => `k${i}: 1`).join('\n'),
      /^F:1:1: \(file\): is larger than 256 KiB$/,
    ],
    ['10 MB', 'a'.repeat(10 << 20), /^F:1:1: \(file\): is larger than 256 KiB$/],
    ['aliases that explode', `a0: &a0 [x, x]\n${bomb}`, /^F:1:1: YAML: Excessive alias count/],
    ['nested keys', '? '.repeat(100_000), /^F:1:1: YAML: A key that begins with \? is not taken$/],
    ['lists in lists', '['.repeat(49_000), /is nested too deeply/],
    ['a key that is there twice', 'listen: {}\nlisten: {}\n', /^F:2:1: listen: is there twice$/],
  ];
  for (const [name, text, message] of files) assert.match(messageOf(text), message, name);
  assert.ok(performance.now() - start < 5_000, `it took ${performance.now() - start} ms`);
  assert.throws(() => loadConfig({ file: '/dev/zero', env: {} }), /\/dev\/zero:1:1: \(file\): is larger than 256 KiB/);
  assert.throws(() => loadConfig({ file: '/dev/zero', env: {} }), { hint: 'nexus server start --config /dev/zero' });
});

test('a broken variable is refused by its name', () => {
  assert.equal(load('', { NEXUS_LISTEN_PORT: 'many' }), 'environment: NEXUS_LISTEN_PORT: must be a number');
  assert.throws(
    () => loadConfig({ env: { NEXUS_AUTH_MODE: 'none' } }),
    /environment: NEXUS_AUTH_MODE: must be local or github or oidc/,
  );
  assert.throws(
    () => loadConfig({ env: { NEXUS_TLS_CERT: 'c' } }),
    /^NexusError: configuration: tls.key: is required$/,
  );
});

test('a variable does not hide that the file is broken there', () => {
  assert.equal(load('listen: 3\n', { NEXUS_LISTEN_PORT: '1' }), 'F:1:9: listen: must be an object');
});

test('a missing file is named', () => {
  assert.throws(() => loadConfig({ file: '/nonexistent/server.yaml', env: {} }), {
    message: '/nonexistent/server.yaml: there is no such file',
    hint: 'nexus server start --help',
  });
  assert.throws(() => loadConfig({ file: tmpdir(), env: {} }), { message: `${tmpdir()}: it is a folder` });
});
