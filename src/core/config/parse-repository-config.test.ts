import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { stringify } from 'yaml';
import { NexusError } from '../../contract/errors.ts';
import { parseRepositoryConfig } from './parse-repository-config.ts';

const timing = { interval: 5, timeout: 3, retries: 5 };

test('the whole file in its strict form', () => {
  const text = `
version: "1.0"
name: my-project
provider: lxc
services:
  db:  { command: "postgres -D /data/postgres", port: 5432, expose: false, env: { POSTGRES_DB: dev },
         health_check: { type: exec, command: "pg_isready", timeout: 10 } }
  api: { command: npm run server, port: 4000, depends_on: [db], health_check: { type: tcp, timeout: 5s } }
  web: { command: npm run dev, port: 3000, depends_on: [api], health_check: { type: http, path: / } }
providers:
  default: lxc
  lxc: { image: "ubuntu:22.04", cpu: 2, memory: 4GB, disk: 20GB }
  docker: { image: "node:20-alpine", memory: 2GB }
  qemu: { image: "ubuntu:22.04", cpu: 4, memory: 8GB, disk: 50GB }
lifecycle:
  pre_start: npm install
  post_start: npm run setup
  pre_stop: npm run cleanup
`;
  assert.deepEqual(parseRepositoryConfig(text), {
    version: '1.0',
    name: 'my-project',
    provider: 'lxc',
    packages: [],
    services: {
      db: {
        command: 'postgres -D /data/postgres',
        port: 5432,
        expose: false,
        env: { POSTGRES_DB: 'dev' },
        depends_on: [],
        health_check: { ...timing, type: 'exec', command: 'pg_isready', timeout: 10 },
      },
      api: {
        command: 'npm run server',
        port: 4000,
        env: {},
        depends_on: ['db'],
        health_check: { ...timing, type: 'tcp', timeout: 5 },
      },
      web: {
        command: 'npm run dev',
        port: 3000,
        env: {},
        depends_on: ['api'],
        health_check: { ...timing, type: 'http', path: '/' },
      },
    },
    providers: {
      default: 'lxc',
      lxc: { image: 'ubuntu:22.04', cpu: 2, memory: 4e9, disk: 20e9 },
      docker: { image: 'node:20-alpine', memory: 2e9 },
      qemu: { image: 'ubuntu:22.04', cpu: 4, memory: 8e9, disk: 50e9 },
    },
    lifecycle: { pre_start: 'npm install', post_start: 'npm run setup', pre_stop: 'npm run cleanup' },
  });
});

test('an empty file asks for nothing', () => {
  const nothing = { version: '1.0', packages: [], providers: {}, lifecycle: {} };
  for (const text of ['', '# only a comment', '{}']) assert.deepEqual(parseRepositoryConfig(text), nothing);
});

test('the version may be written in each way that YAML invites to', () => {
  for (const version of ['"1.0"', '1.0', '1', '"1"']) {
    assert.equal(parseRepositoryConfig(`version: ${version}`).version, '1.0');
  }
});

test('loose forms of a service', () => {
  const table: [string, object][] = [
    ['3000', { port: 3000, env: {}, depends_on: [] }],
    ['{ command: x, environment: { A: 1 } }', { command: 'x', env: { A: '1' }, depends_on: [] }],
    [
      '{ command: x, env: { M: 0755, V: 1.10, B: true, E: 1e3 } }',
      { command: 'x', env: { M: '0755', V: '1.10', B: 'true', E: '1e3' }, depends_on: [] },
    ],
    ['{ command: x, depends_on: other }', { command: 'x', env: {}, depends_on: ['other'] }],
    ['{ command: x, cwd: packages/web }', { command: 'x', env: {}, depends_on: [], cwd: 'packages/web' }],
  ];
  for (const [entry, service] of table) {
    const { services } = parseRepositoryConfig(`services: { web: ${entry}, other: 1 }`);
    assert.deepEqual(services?.['web'], service, entry);
  }
});

test('an anchor used twice keeps what was written', () => {
  const { services } = parseRepositoryConfig(
    'services:\n  a: { command: x, env: &e { M: 0755 } }\n  b: { command: y, env: *e }\n',
  );
  assert.deepEqual([services?.['a']?.env, services?.['b']?.env], [{ M: '0755' }, { M: '0755' }]);
});

test('loose forms of a health check', () => {
  const table: [string, object][] = [
    ['{}', { type: 'tcp' }],
    ['{ port: 81 }', { type: 'tcp', port: 81 }],
    ['{ path: /x }', { type: 'http', path: '/x' }],
    ['{ type: http }', { type: 'http', path: '/' }],
    ['{ type: http, port: 81, path: /x }', { type: 'http', path: '/x', port: 81 }],
    ['{ url: /health }', { type: 'http', path: '/health' }],
    ['{ url: /health, port: 81 }', { type: 'http', path: '/health', port: 81 }],
    ['{ url: "http://localhost:81/health?deep=1" }', { type: 'http', path: '/health?deep=1', port: 81 }],
    ['{ url: "http://127.0.0.1/" }', { type: 'http', path: '/' }],
    ['{ url: "http://[::1]:81" }', { type: 'http', path: '/', port: 81 }],
    ['{ command: pg_isready }', { type: 'exec', command: 'pg_isready' }],
    ['{ type: custom, command: ./check }', { type: 'custom', command: './check' }],
    ['{ interval: 500ms, timeout: 2m, retries: 9 }', { type: 'tcp', interval: 0.5, timeout: 120, retries: 9 }],
    ['{ interval: "7" }', { type: 'tcp', interval: 7 }],
  ];
  for (const [entry, check] of table) {
    for (const key of ['health_check', 'healthcheck']) {
      const { services } = parseRepositoryConfig(`services: { web: { command: x, port: 80, ${key}: ${entry} } }`);
      assert.deepEqual(services?.['web']?.health_check, { ...timing, ...check }, entry);
    }
  }
});

function problemsOf(text: string): string[] {
  try {
    parseRepositoryConfig(text, 'f');
  } catch (error) {
    assert(error instanceof NexusError);
    return error.message.split('\n');
  }
  return [];
}

test('each problem says where, what was expected, and the nearest right word', () => {
  const name = 'must be 1 to 40 of letters, digits, - and _, with a letter or digit at both ends';
  const table: [string, string][] = [
    ['[]', 'f:1:1: (file): must be a mapping, not a list'],
    ['text', 'f:1:1: (file): must be a mapping, not "text"'],
    ['servcies: {}', 'f:1:1: servcies: is not a known key; did you mean services?'],
    ['zzz: {}', 'f:1:1: zzz: is not a known key'],
    ['version: 2', 'f:1:10: version: must be "1.0", "1" or 1, not 2'],
    ['version:', 'f:1:9: version: must be "1.0", "1" or 1, not empty'],
    ['name: My Project', 'f:1:7: name: must be 1 to 40 of a-z, 0-9 and -, with no - at either end'],
    ['provider: lcx', 'f:1:11: provider: must be "lxc", "docker" or "qemu", not "lcx"; did you mean lxc?'],
    ['provider: [lxc]', 'f:1:11: provider: must be "lxc", "docker" or "qemu", not a list'],
    ['packages: jq', 'f:1:11: packages: must be a list, not "jq"'],
    ['packages: [jq, "a b"]', 'f:1:16: packages.1: is not a package name'],
    [`packages: [${'jq, '.repeat(101)}]`, 'f:1:11: packages: must have at most 100 entries'],
    ['services: [web]', 'f:1:11: services: must be a mapping, not a list'],
    ['services: { web: npm start }', 'f:1:18: services.web: must be a number or a mapping, not "npm start"'],
    ['services: { web: }', 'f:1:18: services.web: must be a number or a mapping, not empty'],
    ['services: { web: 0 }', 'f:1:18: services.web: must be at least 1'],
    ['services: { web: 80.5 }', 'f:1:18: services.web: must be a whole number or a mapping, not 80.5'],
    ['services: { -web: 80 }', `f:1:13: services.-web: ${name}`],
    ['services: { create: 80 }', 'f:1:13: services.create: is the name of a hook'],
    ['services: { web: { comand: x } }', 'f:1:20: services.web.comand: is not a known key; did you mean command?'],
    ['services: { web: { command: "" } }', 'f:1:29: services.web.command: must not be empty'],
    ['services: { web: { command: [a] } }', 'f:1:29: services.web.command: must be text, not a list'],
    ['services: { web: { command: {} } }', 'f:1:29: services.web.command: must be text, not a mapping'],
    ['services: { web: { port: 70000 } }', 'f:1:26: services.web.port: must be at most 65535'],
    ['services: { web: { port: "80" } }', 'f:1:26: services.web.port: must be a number, not "80"'],
    ['services: { web: { expose: maybe } }', 'f:1:28: services.web.expose: must be true or false, not "maybe"'],
    ['services: { web: { env: { A-B: 1 } } }', 'f:1:27: services.web.env.A-B: must be a name of letters, digits and _'],
    [
      'services: { web: { env: { A: } } }',
      'f:1:30: services.web.env.A: must be text, a number or true or false, not empty',
    ],
    [
      'services: { web: { env: {}, environment: {} } }',
      'f:1:42: services.web.environment: and env are the same; keep one',
    ],
    [
      'services: { web: { health_check: {}, healthcheck: {} } }',
      'f:1:51: services.web.healthcheck: and health_check are the same; keep one',
    ],
    [
      'services: { web: { cwd: /srv } }',
      'f:1:25: services.web.cwd: must be a folder of the repository, relative to its root',
    ],
    [
      'services: { web: { cwd: ../x } }',
      'f:1:25: services.web.cwd: must be a folder of the repository, relative to its root',
    ],
    [
      'services: { web: { depends_on: {a: b} } }',
      `f:1:32: services.web.depends_on: must be text or a list, not a mapping`,
    ],
    [
      'services: { web: { depends_on: [wbe] } }',
      'f:1:32: services.web.depends_on: wbe is not a service; did you mean web?',
    ],
    ['services: { web: { depends_on: other } }', 'f:1:32: services.web.depends_on: other is not a service'],
    ['services: { a: { port: 80 }, b: { port: 80 } }', 'f:1:41: services.b.port: 80 is the port of a already'],
    ['services: { a: 80, b: 80 }', 'f:1:23: services.b: 80 is the port of a already'],
    [
      'services: { a-1: 80, a_1: 81 }',
      'f:1:22: services.a_1: and a-1 have the same name in the environment (NEXUS_SERVICE_A_1_PORT)',
    ],
    [
      'services: { web: { health_check: { type: ping } } }',
      'f:1:42: services.web.health_check.type: must be "http", "tcp", "exec" or "custom", not "ping"',
    ],
    [
      'services: { web: { health_check: { interval: soon } } }',
      'f:1:46: services.web.health_check.interval: must be seconds or a duration such as 10s, 500ms, 2m',
    ],
    [
      'services: { web: { health_check: { interval: 0 } } }',
      'f:1:46: services.web.health_check.interval: must be more than 0',
    ],
    [
      'services: { web: { health_check: { type: exec } } }',
      'f:1:42: services.web.health_check.type: of exec needs a command',
    ],
    [
      'services: { web: { health_check: { type: tcp, path: / } } }',
      'f:1:53: services.web.health_check.path: is not for a check of type tcp',
    ],
    ['services: { web: { health_check: { path: x } } }', 'f:1:42: services.web.health_check.path: must begin with /'],
    [
      'services: { web: { health_check: { url: /, path: / } } }',
      'f:1:41: services.web.health_check.url: and path say the same; keep one',
    ],
    [
      'services: { web: { health_check: { url: nope } } }',
      'f:1:41: services.web.health_check.url: must be a path, or an address that begins with http://',
    ],
    [
      'services: { web: { health_check: { url: "http://example.org/" } } }',
      'f:1:41: services.web.health_check.url: must be an address of the workspace itself, such as http://localhost:3000/health',
    ],
    ['providers: { lxd: {} }', 'f:1:14: providers.lxd: is not a known key; did you mean lxc?'],
    ['providers: { lxc: { memory: lots } }', 'f:1:29: providers.lxc.memory: must be a size such as 4GB or 512MiB'],
    ['providers: { lxc: { image: "" } }', 'f:1:28: providers.lxc.image: must not be empty'],
    [
      '{provider: lxc, providers: { default: qemu }}',
      'f:1:12: provider: is lxc, and providers.default is qemu; keep one',
    ],
    ['lifecycle: { prestart: x }', 'f:1:14: lifecycle.prestart: is not a known key; did you mean pre_start?'],
    [
      `lifecycle: { pre_start: ${'x'.repeat(16_385)} }`,
      'f:1:25: lifecycle.pre_start: must be at most 16384 characters',
    ],
  ];
  for (const [text, problem] of table) assert.deepEqual(problemsOf(text), [problem], text.slice(0, 80));
});

test('more than fifty services are refused', () => {
  const services = Array.from({ length: 51 }, (_, index) => `s${index}: ${index + 1}`).join(', ');
  assert.deepEqual(problemsOf(`services: { ${services} }`), ['f:1:11: services: must not be more than 50']);
});

test('all problems at once, in the order of the file', () => {
  const text = 'nam: x\nservices:\n  a: { command: 5, depends_on: [b] }\n  c: 99999\nlifecycle: []\n';
  assert.deepEqual(problemsOf(text), [
    'f:1:1: nam: is not a known key; did you mean name?',
    'f:3:17: services.a.command: must be text, not 5',
    'f:3:32: services.a.depends_on: b is not a service; did you mean a?',
    'f:4:6: services.c: must be at most 65535',
    'f:5:12: lifecycle: must be a mapping, not a list',
  ]);
});

test('services that need each other in a circle', () => {
  const text = 'services: { a: { command: x, depends_on: b }, b: { command: x, depends_on: [a] } }';
  assert.throws(
    () => parseRepositoryConfig(text),
    (error) => {
      assert(error instanceof NexusError);
      assert.equal(error.code, 'dependency_cycle');
      assert.deepEqual(error.details, { cycle: ['a', 'b', 'a'] });
      return true;
    },
  );
});

test('whatever the data, it is taken or refused with an error of the catalogue', () => {
  const key = fc.constantFrom(
    'version',
    'name',
    'services',
    'web',
    'api',
    'port',
    'command',
    'env',
    'environment',
    'depends_on',
    'health_check',
    'healthcheck',
    'type',
    'url',
    'path',
    'interval',
    'providers',
    'lxc',
    'image',
    'memory',
    'lifecycle',
    'pre_start',
    'packages',
    'provider',
    'default',
    '__proto__',
    'constructor',
    'toString',
    '',
  );
  const leaf = fc.oneof(
    key,
    fc.integer(),
    fc.double(),
    fc.boolean(),
    fc.constant(null),
    fc.string(),
    fc.constantFrom('http', 'tcp', '1.0', '/', '5s'),
  );
  const { value } = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { depthSize: 'medium' },
      leaf,
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(key, tie('value'), { maxKeys: 6 }),
    ),
  }));
  fc.assert(
    fc.property(value, (data) => {
      try {
        parseRepositoryConfig(stringify(data));
      } catch (error) {
        assert(error instanceof NexusError, String(error));
        assert(error.code === 'config_invalid' || error.code === 'dependency_cycle');
        assert(error.message.length > 0);
      }
    }),
    { numRuns: 500 },
  );
});
