import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NexusError } from '../../contract/errors.ts';
import { resolvedConfig } from '../../contract/service-spec.ts';
import { resolveRepository, type ResolveOptions } from './resolve-repository.ts';

const vite = {
  'package.json': '{"scripts": {"dev": "vite"}, "devDependencies": {"vite": "6"}}',
  'package-lock.json': '',
};

function resolve(files: Record<string, string>, options?: ResolveOptions) {
  const resolved = resolveRepository(new Map(Object.entries(files)), Object.keys(files), options);
  assert.deepEqual(resolvedConfig.parse(resolved), resolved);
  return resolved;
}

function withConfig(text: string, files: Record<string, string> = {}): Record<string, string> {
  return { ...files, '.nexus/config.yaml': text };
}

test('the file wins over what would be detected', () => {
  const resolved = resolve(withConfig('services: { api: { command: ./api, port: 4000 } }', vite));
  assert.equal(resolved.source, 'config');
  assert.deepEqual(
    resolved.services.map(({ name, command }) => [name, command]),
    [['api', './api']],
  );
  assert.deepEqual(resolved.lifecycle, {});
  assert.deepEqual(resolved.notes, []);
});

test('without the file, or without services in it, they are detected', () => {
  const detected = resolve(vite);
  assert.equal(detected.source, 'detected');
  assert.deepEqual(detected.lifecycle, { pre_start: 'npm ci' });
  const described = resolve(withConfig('packages: [jq]', vite));
  assert.equal(described.source, 'config');
  assert.deepEqual(described.packages, ['jq']);
  assert.deepEqual(described.services, detected.services);
  assert.deepEqual(described.lifecycle, detected.lifecycle);
  assert.deepEqual(resolve(withConfig('services: {}', vite)).services, []);
});

test('packages of the file and of what was detected are taken together', () => {
  const files = { 'requirements.txt': 'django', 'manage.py': '' };
  assert.deepEqual(resolve(withConfig('packages: [jq, python3-venv]', files)).packages, ['jq', 'python3-venv']);
});

test('a hook of the file stands for the detected one', () => {
  assert.deepEqual(resolve(withConfig('lifecycle: { pre_start: make, post_start: echo }', vite)).lifecycle, {
    pre_start: 'make',
    post_start: 'echo',
  });
});

test('a service without a command gets that of the detected one', () => {
  const table: [string, Record<string, string>, object][] = [
    ['web: 3000', vite, { command: 'npm run dev -- --host 0.0.0.0 --port 3000', port: 3000, env: {} }],
    ['web: 5173', vite, { command: 'npm run dev -- --host 0.0.0.0', port: 5173, env: {} }],
    ['front: 3000', vite, { command: 'npm run dev -- --host 0.0.0.0 --port 3000', port: 3000 }],
    ['web: { env: { A: 1 } }', vite, { port: 5173, env: { A: '1' } }],
    ['app: 8000', { 'index.html': '' }, { command: 'python3 -m http.server 8000', port: 8000 }],
    ['site: 8001', { 'index.html': '' }, { command: 'python3 -m http.server 8001', port: 8001 }],
    ['other: 5000', { Procfile: 'web: a\nworker: b' }, { command: 'a', port: 5000, env: { PORT: '5000' } }],
    ['worker: 7000', { Procfile: 'web: a\nworker: b' }, { command: 'b', port: 7000, env: { PORT: '7000' } }],
  ];
  for (const [entry, files, expected] of table) {
    const { services } = resolve(withConfig(`services: { ${entry} }`, files));
    assert.equal(services.length, 1);
    assert.partialDeepStrictEqual(services[0], { name: entry.split(':')[0], ...expected }, entry);
  }
});

test('what cannot be resolved is told with its place', () => {
  const none = 'has no command, and none was detected for it';
  const table: [string, Record<string, string>, string[]][] = [
    ['services:\n  web: 3000\n', {}, [`.nexus/config.yaml:2:3: services.web: ${none}`]],
    [
      'services:\n  a: 1\n  b: 2\n',
      { Procfile: 'web: a\nworker: b' },
      [`.nexus/config.yaml:2:3: services.a: ${none}`, `.nexus/config.yaml:3:3: services.b: ${none}`],
    ],
    [
      'services: { w: { command: x, health_check: {} } }',
      {},
      ['.nexus/config.yaml:1:13: services.w: has a health check without a port: the service has none'],
    ],
    [
      'services: { w: { command: x, health_check: { path: / } } }',
      {},
      ['.nexus/config.yaml:1:13: services.w: has a health check without a port: the service has none'],
    ],
  ];
  for (const [text, files, lines] of table) {
    assert.throws(
      () => resolve(withConfig(text, files)),
      (error) => {
        assert(error instanceof NexusError);
        assert.equal(error.code, 'config_invalid');
        assert.deepEqual(error.message.split('\n'), lines);
        return true;
      },
    );
  }
});

test('a health check with a port of its own needs none of the service', () => {
  const { services } = resolve(withConfig('services: { w: { command: x, health_check: { port: 81 } } }'));
  assert.partialDeepStrictEqual(services[0]?.health_check, { type: 'tcp', port: 81 });
});

test('image and limits are those of the provider', () => {
  const text =
    'services: {}\nproviders:\n  lxc: { image: "debian:12", cpu: 2, memory: 1GB, disk: 5GB }\n  docker: { image: "node:20" }\n';
  const limits = { cpu: 2, memory_bytes: 1e9, disk_bytes: 5e9 };
  const table: [string, ResolveOptions, string | null, object | undefined][] = [
    [text, {}, 'debian:12', limits],
    [text, { provider: 'docker' }, 'node:20', undefined],
    [text, { provider: 'qemu' }, null, undefined],
    [`${text}provider: docker\n`, {}, 'node:20', undefined],
    [`${text}  default: docker\n`, {}, 'node:20', undefined],
    [`${text}  default: docker\n`, { provider: 'lxc' }, 'debian:12', limits],
    ['services: {}', {}, null, undefined],
  ];
  for (const [config, options, image, expected] of table) {
    const resolved = resolve(withConfig(config), options);
    assert.equal(resolved.image, image);
    assert.deepEqual(resolved.limits, expected);
  }
});

test('hooks are files that may be executed', () => {
  const hooks = {
    '.nexus/hooks/create.sh': '',
    '.nexus/hooks/up.sh': '',
    '.nexus/hooks/other.sh': '',
    'hooks/down.sh': '',
  };
  assert.deepEqual(resolve({ ...withConfig('services: {}'), ...hooks }).hook_files, ['create', 'up']);
  const some = resolve({ ...withConfig('services: {}'), ...hooks }, { executableHooks: ['.nexus/hooks/up.sh'] });
  assert.deepEqual(some.hook_files, ['up']);
  assert.deepEqual(some.notes, [
    '.nexus/hooks/create.sh is not run, for it is not executable: chmod +x .nexus/hooks/create.sh',
  ]);
  assert.deepEqual(resolve(hooks, { executableHooks: [] }).notes.length, 3);
});
