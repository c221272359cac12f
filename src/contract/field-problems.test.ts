import assert from 'node:assert/strict';
import { test } from 'node:test';
import { z } from 'zod';
import { fieldProblems } from './field-problems.ts';

const schema = z.strictObject({
  size: z.union([z.number(), z.string().regex(/^\d+GB$/, 'must be a size')]).optional(),
  check: z
    .discriminatedUnion('type', [z.object({ type: z.literal('http') }), z.object({ type: z.literal('tcp') })])
    .optional(),
  mode: z.enum(['a', 'b']).optional(),
  count: z.int().min(1).max(9).optional(),
  share: z.number().gt(0).lt(1).optional(),
  name: z.string().min(1).optional(),
  tags: z.array(z.string()).max(1).optional(),
  on: z.boolean().optional(),
  list: z.array(z.strictObject({ key: z.string() })).optional(),
  env: z.record(z.string().regex(/^[a-z]+$/, 'must be lower case'), z.string()).optional(),
  at: z.date().optional(),
});

const cases: readonly [name: string, value: unknown, expected: readonly string[]][] = [
  [
    'every field is named',
    { mode: 'c', count: 1.5, zz: 1, list: [{ kk: 1 }] },
    [
      'mode: must be a or b',
      'count: must be a whole number',
      'list[0].key: is required',
      'list[0].kk: is not known',
      'zz: is not known',
    ],
  ],
  ['the body itself', 'text', ['body: must be an object']],
  ['a union of which no form has the type', { size: true }, ['size: must be a number or text']],
  ['a union of which one form has the type', { size: 'big' }, ['size: must be a size']],
  ['an unknown kind', { check: { type: 'x' } }, ['check.type: must be http or tcp']],
  ['a kind that is no object', { check: 1 }, ['check: must be an object']],
  ['a bound', { count: 0 }, ['count: must be at least 1']],
  ['bounds that are not reached', { share: 0 }, ['share: must be more than 0']],
  ['bounds that are not reached from below', { share: 1 }, ['share: must be less than 1']],
  ['another bound', { count: 1e9 }, ['count: must be at most 9']],
  [
    'bounds of texts and lists',
    { name: '', tags: ['a', 'b'] },
    ['name: must have at least 1 characters', 'tags: must have at most 1 entries'],
  ],
  ['a list and a switch', { list: {}, on: 'yes' }, ['on: must be true or false', 'list: must be a list']],
  ['a key of a record', { env: { A: 'x' } }, ['env.A: must be lower case']],
  ['a type without a name of its own', { at: 1 }, ['at: must be date']],
];
for (const [name, value, expected] of cases) {
  test(`problems of fields: ${name}`, () => {
    const { error } = schema.safeParse(value);
    assert.ok(error);
    assert.deepEqual(
      fieldProblems(error).map(({ path, problem }) => `${path}: ${problem}`),
      expected,
    );
  });
}

test('problems of fields: below a prefix', () => {
  const { error } = schema.safeParse({ mode: 1 });
  assert.ok(error);
  assert.deepEqual(fieldProblems(error, ['query']), [{ path: 'query.mode', problem: 'must be a or b' }]);
});
