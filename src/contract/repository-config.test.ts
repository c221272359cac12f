import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { parse } from 'yaml';
import { z } from 'zod';
import { repositoryConfig, repositoryConfigJsonSchema } from './repository-config.ts';

function read(path: string): string {
  return readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
}

test('the published JSON Schema is that of the code', () => {
  const published: unknown = JSON.parse(read('schema/nexus-config.schema.json'));
  assert.deepEqual(published, repositoryConfigJsonSchema(), 'run: node scripts/write-config-schema.ts');
});

test('the files of this repository are valid, in an editor too', () => {
  const editor = z.fromJSONSchema(repositoryConfigJsonSchema());
  for (const path of ['.nexus/config.yaml', 'examples/shop/.nexus/config.yaml']) {
    const data: unknown = parse(read(path));
    assert.equal(repositoryConfig.safeParse(data).success, true, path);
    assert.equal(editor.safeParse(data).success, true, path);
  }
});

test('an editor and the program agree', () => {
  const editor = z.fromJSONSchema(repositoryConfigJsonSchema());
  const table: [string, boolean][] = [
    ['{}', true],
    ['version: 1', true],
    ['version: 2', false],
    ['unknown: 1', false],
    ['services: { web: 3000 }', true],
    ['services: { web: 0 }', false],
    ['services: { web: npm start }', false],
    ['services: { -web: 3000 }', false],
    [
      'services: { web: { command: x, port: 80, environment: { A: 1 }, healthcheck: { url: /, interval: 10s } } }',
      true,
    ],
    ['services: { web: { command: x, port: 80, health_check: { type: ping } } }', false],
    ['services: { web: { comand: x } }', false],
    ['services: { web: { command: x, depends_on: api } }', true],
    ['services: { web: { command: x, health_check: { interval: soon } } }', false],
    ['providers: { lxc: { memory: 4GB, cpu: 0.5 } }', true],
    ['providers: { lxc: { memory: lots } }', false],
    ['providers: { vm: {} }', false],
    ['packages: [jq]', true],
    ['packages: ["a b"]', false],
    ['lifecycle: { pre_start: npm ci }', true],
    ['lifecycle: { prestart: npm ci }', false],
  ];
  for (const [text, valid] of table) {
    const data: unknown = parse(text);
    assert.equal(repositoryConfig.safeParse(data).success, valid, text);
    assert.equal(editor.safeParse(data).success, valid, `editor: ${text}`);
  }
});

test('every key is described for editors', () => {
  const undescribed: string[] = [];
  const walk = (schema: z.core.JSONSchema.BaseSchema, path: string): void => {
    for (const [key, property] of Object.entries(schema.properties ?? {})) {
      if (typeof property === 'boolean') continue;
      if (property.description === undefined) undescribed.push(`${path}${key}`);
      walk(property, `${path}${key}.`);
    }
    for (const form of [...(schema.anyOf ?? []), schema.additionalProperties]) {
      if (typeof form === 'object') walk(form, `${path}*.`);
    }
  };
  walk(repositoryConfigJsonSchema(), '');
  assert.deepEqual(undescribed, []);
});
