import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import type { HealthCheck, ResolvedConfig, ServiceSpec } from '../../contract/service-spec.ts';
import { completeService } from './complete-service.ts';
import { configText } from './config-text.ts';
import { resolveRepository } from './resolve-repository.ts';

const nothing: ResolvedConfig = {
  source: 'detected',
  services: [],
  lifecycle: {},
  hook_files: [],
  packages: [],
  image: null,
  notes: [],
};

test('reads well', () => {
  const service = { name: 'web', command: 'npm run dev', port: 3000, env: { MODE: '0755' }, depends_on: ['db'] };
  const check = { type: 'http', path: '/up', interval: 5, timeout: 10, retries: 5 } as const;
  const db = { name: 'db', command: 'postgres', port: 5432, env: {}, depends_on: [] };
  const text = configText(
    {
      ...nothing,
      services: [completeService(db), completeService({ ...service, health_check: check })],
      lifecycle: { pre_start: 'npm ci' },
      packages: ['postgresql'],
      image: 'debian:12',
      limits: { cpu: 2, memory_bytes: 4e9, disk_bytes: 20e9 },
      notes: ['package.json: script dev (Next.js)'],
    },
    { schemaUrl: 'schema.json' },
  );
  assert.equal(
    text,
    `# yaml-language-server: $schema=schema.json
# What a Nexus workspace of this repository has. Every key: nexus config schema. Check it: nexus config validate.
# package.json: script dev (Next.js)

version: "1.0"

# Debian or Ubuntu packages
packages:
  - postgresql

# Each has command and, where it listens, port; also: expose, env, cwd, depends_on, health_check
services:
  db:
    command: postgres
    port: 5432
  web:
    command: npm run dev
    port: 3000
    env:
      MODE: "0755"
    depends_on:
      - db
    health_check:
      type: http
      path: /up
      timeout: 10

# What workspaces run on, with image, cpu, memory, disk
providers:
  default: lxc
  lxc:
    image: debian:12
    cpu: 2
    memory: 4000000000
    disk: 20000000000

# Commands run as dev in the repository: pre_start, post_start, pre_stop
lifecycle:
  pre_start: npm ci
`,
  );
});

function readBack(text: string): ResolvedConfig {
  return resolveRepository(new Map([['.nexus/config.yaml', text]]), []);
}

test('a repository of which nothing is known gets a file that says so', () => {
  assert.deepEqual(readBack(configText(nothing)), { ...nothing, source: 'config' });
});

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter((one) => one.isWellFormed());
const name = fc
  .stringMatching(/^[a-z][a-z0-9-]{0,10}[a-z0-9]$/)
  .filter((one) => !['create', 'up', 'stop', 'down'].includes(one));
const timing = {
  interval: fc.integer({ min: 1, max: 600 }),
  timeout: fc.double({ min: 0.5, max: 60, noNaN: true }),
  retries: fc.integer({ min: 1, max: 100 }),
};
const port = fc.integer({ min: 1, max: 65_535 });
const plain = { noNullPrototype: true };
const healthCheck: fc.Arbitrary<HealthCheck> = fc.oneof(
  fc.record(
    { type: fc.constant('http' as const), path: fc.webPath().map((path) => `/${path}`), port, ...timing },
    plain,
  ),
  fc.record({ type: fc.constant('tcp' as const), port, ...timing }, plain),
  fc.record({ type: fc.constantFrom('exec' as const, 'custom' as const), command: text, ...timing }, plain),
);
const variable = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_]{0,8}$/);
const service: fc.Arbitrary<ServiceSpec> = fc
  .record(
    {
      name,
      command: text,
      port,
      expose: fc.boolean(),
      env: fc.dictionary(variable, text, { maxKeys: 4, noNullPrototype: true }),
      cwd: fc.constantFrom('a', 'packages/web', 'with space'),
      depends_on: fc.constant<string[]>([]),
      health_check: healthCheck,
    },
    { requiredKeys: ['name', 'command', 'env', 'depends_on'], ...plain },
  )
  .map((given) => completeService(given));

const resolved: fc.Arbitrary<ResolvedConfig> = fc
  .record({
    services: fc.uniqueArray(service, { maxLength: 6, selector: ({ name }) => name.toUpperCase() }),
    lifecycle: fc.record(
      { pre_start: text, post_start: text, pre_stop: text },
      { requiredKeys: [], noNullPrototype: true },
    ),
    packages: fc.uniqueArray(fc.constantFrom('jq', 'libstdc++6', 'python3.11'), { maxLength: 3 }),
    image: fc.option(fc.constantFrom('debian:12', 'images:alpine/3.20', 'a: b #c')),
    notes: fc.array(fc.string({ maxLength: 40 }), { maxLength: 3 }),
    limits: fc.option(
      fc.record(
        { cpu: fc.integer({ min: 1, max: 64 }), memory_bytes: fc.integer({ min: 1 }) },
        { noNullPrototype: true },
      ),
      { nil: undefined },
    ),
  })
  .map(({ services, limits, ...rest }) => ({
    ...nothing,
    ...rest,
    ...(limits ? { limits } : {}),
    services: withOwnPorts(services),
  }));

function withOwnPorts(services: readonly ServiceSpec[]): ServiceSpec[] {
  const seen = new Set<number>();
  return services.filter(({ port }) => {
    if (port === undefined) return true;
    const isNew = !seen.has(port);
    seen.add(port);
    return isNew;
  });
}

test('what is written is read back the same', () => {
  fc.assert(
    fc.property(resolved, (config) => {
      assert.deepEqual(readBack(configText(config)), { ...config, source: 'config', notes: [] });
    }),
    { numRuns: 300 },
  );
});
