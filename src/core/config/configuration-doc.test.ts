// docs/configuration.md names every key of the schema and no other, and its examples are valid.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import type { z } from 'zod';
import { repositoryConfigJsonSchema } from '../../contract/repository-config.ts';
import { resolveRepository } from './resolve-repository.ts';

const text = readFileSync(new URL('../../../docs/configuration.md', import.meta.url), 'utf8');

type Schema = z.core.JSONSchema.BaseSchema;

/** The names of the keys of each mapping of the schema. */
function mappings(schema: Schema | boolean | undefined): string[][] {
  if (typeof schema !== 'object') return [];
  const inside = [...Object.values(schema.properties ?? {}), schema.additionalProperties, ...(schema.anyOf ?? [])];
  const own = schema.properties ? [Object.keys(schema.properties)] : [];
  return [...own, ...inside.flatMap((one) => mappings(one))];
}

test('every table of keys is that of a mapping of the schema, and each mapping has one', () => {
  const documented = text
    .split('\n\n')
    .filter((block) => /^\| key +\|/.test(block))
    .map((block) => [...block.matchAll(/^\| `(\w+)` +\|/gm)].map(([, key]) => key ?? ''));
  assert.deepEqual(sortedNames(documented), sortedNames(mappings(repositoryConfigJsonSchema())));
});

/** A line for each mapping, whatever the order of its keys; mappings of the same keys count once. */
function sortedNames(tables: readonly string[][]): string[] {
  return [...new Set(tables.map((keys) => keys.toSorted().join(' ')))].toSorted();
}

test('the examples are valid', () => {
  const examples = [...text.matchAll(/```yaml\n(.*?)```/gs)].map(([, example]) => example ?? '');
  assert(examples.length >= 3);
  for (const example of examples) {
    const files = new Map([
      ['.nexus/config.yaml', example],
      ['package.json', '{"scripts": {"dev": "next dev"}}'],
    ]);
    assert.equal(resolveRepository(files, ['package.json']).source, 'config', example);
  }
});
