import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { NexusError } from '../../contract/errors.ts';
import { parseRepositoryConfig } from './parse-repository-config.ts';
import { invalidConfig, readYaml } from './read-yaml.ts';

test('gives data with the position of each part', () => {
  const yaml = readYaml('a:\n  b: [1, 0755]\n  c: &x text\nd: *x\n1: one\n', 'f.yaml');
  assert.deepEqual(yaml.data, { a: { b: [1, 755], c: 'text' }, d: 'text', 1: 'one' });
  assert.deepEqual(yaml.keyAt(['a', 'b']), { line: 2, column: 3 });
  assert.deepEqual(yaml.valueAt(['a', 'b', 1]), { line: 2, column: 10 });
  assert.deepEqual(yaml.valueAt(['a', 'nothing', 'here']), { line: 2, column: 3 });
  assert.deepEqual(yaml.valueAt(['d', 'more']), { line: 4, column: 4 });
  assert.deepEqual(yaml.keyAt(['1']), { line: 5, column: 1 });
  assert.equal(yaml.sourceAt(['a', 'b', 1]), '0755');
  assert.equal(yaml.sourceAt(['a', 'c']), undefined);
});

test('an empty file has no data, and its parts are at the beginning', () => {
  for (const text of ['', '# nothing\n', '---\n']) {
    const yaml = readYaml(text, 'f.yaml');
    assert.equal(yaml.data, null);
    assert.deepEqual(readYaml('', 'f.yaml').valueAt(['services']), { line: 1, column: 1 });
  }
});

function problemsOf(text: string): string[] {
  try {
    readYaml(text, 'f.yaml');
    return [];
  } catch (error) {
    assert(error instanceof NexusError);
    assert.equal(error.code, 'config_invalid');
    return error.message.split('\n');
  }
}

test('names what is wrong with the YAML, and where', () => {
  const nested = `${'['.repeat(40)}${']'.repeat(40)}`;
  const table: [string, string[]][] = [
    ['a:\n\t- b\n', ['f.yaml:2:1: YAML: Tabs are not allowed as indentation']],
    ['a: 1\nb: 2\na: 3\n', ['f.yaml:3:1: a: is there twice']],
    ['a: {x: 1, x: 2}\n', ['f.yaml:1:11: x: is there twice']],
    ['? a\n: b\n', ['f.yaml:1:1: YAML: A key that begins with ? is not taken']],
    ['a: |\n  ?\nb: "?"\n? c\n', ['f.yaml:4:1: YAML: A key that begins with ? is not taken']],
    ['{[a]: 1}', ['f.yaml:1:2: YAML: A key must be text']],
    ['a: !!binary x!\nb: !thing y', ['f.yaml:2:4: YAML: Unresolved tag: !thing']],
    [`a: ${nested}`, ['f.yaml:1:35: YAML: is nested too deeply']],
    ['a: *nowhere', ['f.yaml:1:1: YAML: Unresolved alias (the anchor must be set before the alias): nowhere']],
    [
      'a: 1\n---\nb: 2\n',
      ['f.yaml:2:1: YAML: Source contains multiple documents; please use YAML.parseAllDocuments()'],
    ],
  ];
  for (const [text, problems] of table) assert.deepEqual(problemsOf(text), problems, text);
});

test('many problems are told up to fifty, in the order of the file', () => {
  const text = Array.from({ length: 80 }, () => 'a: 1\n').join('');
  const problems = problemsOf(text);
  assert.equal(problems.length, 51);
  assert.equal(problems[0], 'f.yaml:2:1: a: is there twice');
  assert.equal(problems.at(-1), 'f.yaml: (file): has 29 more problems');
});

test('problems without a place come last', () => {
  const { details } = invalidConfig('f', [
    { path: 'b', problem: 'x' },
    { path: 'a', problem: 'x', line: 2, column: 1 },
  ]);
  assert.deepEqual(
    details.problems.map(({ path }) => path),
    ['a', 'b'],
  );
});

/** Runs the whole way of a repository's file; gives the code of the error, if there is one. */
function refusal(text: string): string | undefined {
  try {
    parseRepositoryConfig(text);
    return undefined;
  } catch (error) {
    assert(error instanceof NexusError, `threw ${String(error)}`);
    return error.code;
  }
}

/** Several times what it takes here. */
const soonMs = 1_500;

function assertSoon(text: string, label: string): string | undefined {
  const start = performance.now();
  const code = refusal(text);
  const took = performance.now() - start;
  assert(took < soonMs, `${label} took ${took} ms`);
  return code;
}

test('files made to harm are refused soon', () => {
  const fill = (part: string, length = 256 * 1024): string => part.repeat(Math.floor(length / part.length));
  const keys = (count: number, separator: string): string =>
    Array.from({ length: count }, (_, index) => `k${index}: 1`).join(separator);
  const bomb = [
    'a0: &a0 [x, x]',
    ...Array.from({ length: 20 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`),
  ].join('\n');
  const texts: Record<string, string> = {
    'a million keys': keys(1_000_000, '\n'),
    '10 MB of text': 'a'.repeat(10 << 20),
    '10 MB of list': `a: [${'x,'.repeat(5 << 20)}]`,
    'keys up to the limit of parts': keys(8_000, '\n'),
    'services up to the limit of parts': `services: {${keys(8_000, ', ')}}`,
    'unknown names in depends_on': `services: {a: {command: x, depends_on: [${fill('k, ', 50_000)}]}}`,
    'packages that are none': `packages: [${fill('_,', 48_000)}]`,
    'an alias bomb': bomb,
    'aliases of one anchor': `a: &a 1\nb: [${fill('*a,', 60_000)}]`,
    'nested lists': fill('[', 49_000),
    'nested maps': fill('{a: ', 40_000),
    'nested block lists': fill('- '),
    'nested explicit keys': fill('? '),
    'bare colons': fill(':\n'),
    quotes: fill('"', 49_000),
    anchors: fill('&a ', 49_000),
    documents: fill('---\n', 49_000),
    directives: fill('%YAML\n'),
    'control characters': fill('\0'),
  };
  for (const [label, text] of Object.entries(texts)) {
    assert.equal(assertSoon(text, label), 'config_invalid', label);
  }
});

test('whatever the text, it is read soon or refused with an error of the catalogue', () => {
  const part = fc.constantFrom(
    'services',
    'web',
    'port',
    ': ',
    ':',
    '\n',
    '\n  ',
    '- ',
    '[',
    ']',
    '{',
    '}',
    ', ',
    '&a ',
    '*a',
    '"',
    "'",
    '|\n',
    '>\n',
    '# ',
    '!!map ',
    '<<',
    '---\n',
    '\t',
    '3000',
    'null',
    '~',
    '%',
    '__proto__',
    '\u{FEFF}',
    '?',
    'é',
  );
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), fc.integer({ min: 1, max: 2_000 }), (parts, times) => {
      assertSoon(parts.join('').repeat(times), JSON.stringify(parts));
    }),
    { numRuns: 60 },
  );
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 400 }), (text) => {
      assertSoon(text, JSON.stringify(text));
    }),
  );
});
