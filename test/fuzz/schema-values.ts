/** Values that a JSON schema allows, as far as the schema says it; and the same with something broken in them. */
import * as fc from 'fast-check';
import type { JsonSchema } from './api-document.ts';
import { hostileValue } from './hostile-values.ts';

/** Values by the name of the property that they are for: those that have a meaning to the server under test. */
export type Vocabulary = Readonly<Record<string, fc.Arbitrary<unknown>>>;

export function allowedValue(schema: JsonSchema, words: Vocabulary): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.enum) return fc.constantFrom(...schema.enum);
  const forms = schema.anyOf ?? schema.oneOf;
  if (forms) return fc.oneof(...forms.map((form) => allowedValue(form, words)));
  const types = typeof schema.type === 'string' ? [schema.type] : (schema.type ?? []);
  if (types.length === 0) return fc.jsonValue({ maxDepth: 2 });
  return fc.oneof(...types.map((type) => valueOfType(type, schema, words)));
}

function valueOfType(type: string, schema: JsonSchema, words: Vocabulary): fc.Arbitrary<unknown> {
  switch (type) {
    case 'string':
      return text(schema);
    case 'integer':
      return fc.integer({
        min: Math.max(schema.minimum ?? -(2 ** 31), -(2 ** 31)),
        max: Math.min(schema.maximum ?? 2 ** 31 - 1, 2 ** 31 - 1),
      });
    case 'number':
      return fc.double({
        min: schema.exclusiveMinimum ?? schema.minimum ?? -1e6,
        max: schema.maximum ?? 1e6,
        noNaN: true,
      });
    case 'boolean':
      return fc.boolean();
    case 'array':
      return fc.array(allowedValue(schema.items ?? {}, words), {
        minLength: schema.minItems ?? 0,
        maxLength: Math.min(schema.maxItems ?? 4, 4),
      });
    case 'object':
      return object(schema, words);
    default:
      return fc.constant(null);
  }
}

function text({ pattern, minLength = 0, maxLength = 60 }: JsonSchema): fc.Arbitrary<string> {
  if (pattern === undefined) return fc.string({ minLength, maxLength: Math.min(maxLength, 60) });
  return fc.stringMatching(new RegExp(pattern)).map((one) => one.slice(0, maxLength));
}

function object(schema: JsonSchema, words: Vocabulary): fc.Arbitrary<unknown> {
  const { properties, required = [], propertyNames = { type: 'string' }, additionalProperties } = schema;
  if (!properties) {
    const values = typeof additionalProperties === 'object' ? additionalProperties : {};
    return fc.dictionary(text(propertyNames), allowedValue(values, words), { maxKeys: 4, noNullPrototype: true });
  }
  const fields = Object.entries(properties).map(([name, one]) => [name, named(name, one, words)] as const);
  return fc.record(Object.fromEntries(fields), { requiredKeys: [...required], noNullPrototype: true });
}

/** Of a name with a meaning mostly what means something. */
export function named(name: string, schema: JsonSchema, words: Vocabulary): fc.Arbitrary<unknown> {
  const value = allowedValue(schema, words);
  const known = Object.hasOwn(words, name) ? words[name] : undefined;
  return known ? fc.oneof({ weight: 4, arbitrary: known }, { weight: 1, arbitrary: value }) : value;
}

/** An allowed value in which one part is another, or gone, or one too many, or a great many. */
export function nearlyAllowedValue(schema: JsonSchema, words: Vocabulary): fc.Arbitrary<unknown> {
  const harm = fc.oneof(
    { weight: 6, arbitrary: hostileValue.map((value) => () => value) },
    { weight: 2, arbitrary: fc.constant(() => undefined) },
    { weight: 2, arbitrary: hostileValue.map((value) => (old: unknown) => withMore(old, value)) },
    { weight: 1, arbitrary: fc.integer({ min: 100, max: 30_000 }).map((times) => (old: unknown) => many(old, times)) },
  );
  return fc
    .tuple(allowedValue(schema, words), fc.nat(), harm)
    .map(([value, at, change]) => changedAt(value, at % Math.max(1, partsOf(value)), change));
}

function withMore(old: unknown, value: unknown): unknown {
  if (Array.isArray(old)) return [...(old as unknown[]), value];
  return typeof old === 'object' && old !== null ? { ...old, unknown_key: value } : [old, value];
}

function many(old: unknown, times: number): unknown {
  if (typeof old === 'string') return (old || 'x').repeat(times);
  if (typeof old !== 'object' || old === null || Array.isArray(old)) {
    const [first = 'x'] = Array.isArray(old) ? (old as unknown[]) : [old];
    return Array.from({ length: times }, () => first);
  }
  return Object.fromEntries(Array.from({ length: times }, (_, index) => [`k${index}`, index]));
}

/** How many values the value is made of, itself included. */
function partsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 1;
  return Object.values(value).reduce((sum: number, one) => sum + partsOf(one), 1);
}

/** A copy with the part of this number (in the order of reading, the whole is 0) changed. */
function changedAt(value: unknown, at: number, change: (old: unknown) => unknown): unknown {
  if (at === 0 || typeof value !== 'object' || value === null) return change(value);
  let before = 1;
  const entries = Object.entries(value).map(([key, one]): [string, unknown] => {
    const first = before;
    before += partsOf(one);
    return [key, at >= first && at < before ? changedAt(one, at - first, change) : one];
  });
  return Array.isArray(value) ? entries.map(([, one]) => one) : Object.fromEntries(entries);
}
