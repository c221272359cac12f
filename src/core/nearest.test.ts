import assert from 'node:assert/strict';
import { test } from 'node:test';
import { editDistance, nearest } from './nearest.ts';

test('editDistance counts insertions, deletions, substitutions and swaps', () => {
  const table: [string, string, number][] = [
    ['', '', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['port', 'port', 0],
    ['prot', 'port', 1],
    ['prt', 'port', 1],
    ['portt', 'port', 1],
    ['kitten', 'sitting', 3],
  ];
  for (const [a, b, distance] of table) assert.equal(editDistance(a, b), distance, `${a} ${b}`);
});

test('nearest names what was meant, best first', () => {
  const keys = ['services', 'service', 'lifecycle', 'providers', 'version', 'name'];
  const table: [string, string[]][] = [
    ['servcies', ['services', 'service']],
    ['serviec', ['service', 'services']],
    ['Lifecycle', ['lifecycle']],
    ['prov', ['providers']],
    ['life', ['lifecycle']],
    ['zzzzzz', []],
    ['', []],
    ['x'.repeat(100_000), []],
  ];
  for (const [word, expected] of table) assert.deepEqual(nearest(word, keys), expected, word);
});

test('nearest gives at most three, each once', () => {
  assert.deepEqual(nearest('ap', ['api', 'app', 'ape', 'apt', 'api']), ['ape', 'api', 'app']);
});
