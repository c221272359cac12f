/** What a schema refused, in words: what was expected, what is there, and the nearest right word. */
import { z } from 'zod';
import { nearest } from '../nearest.ts';

export type ExplainedIssue = {
  readonly path: readonly PropertyKey[];
  readonly problem: string;
  /** The problem is the last key of the path, not its value. */
  readonly atKey: boolean;
};

type Issue = z.core.$ZodIssue;

/** `data` is what was given to the schema. */
export function explainIssues(schema: z.ZodType, data: unknown, issues: readonly Issue[]): ExplainedIssue[] {
  const known = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' });
  return issues.flatMap((issue) => explain(issue, [], { known, data }));
}

/** `services.web.port`; `(file)` for the whole. */
export function pathText(path: readonly PropertyKey[]): string {
  return path.length === 0 ? '(file)' : path.map(String).join('.');
}

type Context = { readonly known: JsonSchema; readonly data: unknown };

function explain(issue: Issue, base: readonly PropertyKey[], context: Context): ExplainedIssue[] {
  const path = [...base, ...issue.path];
  const value = valueAt(context.data, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => {
        const keys = keysAt(context.known, path);
        return { path: [...path, key], atKey: true, problem: `is not a known key${suggest(key, keys)}` };
      });
    case 'invalid_union':
      return explainUnion(issue, path, context);
    case 'invalid_key':
      return [{ path, atKey: true, problem: issue.issues[0]?.message ?? 'is not a valid name' }];
    default:
      return [{ path, atKey: false, problem: problemOf(issue, value) }];
  }
}

/** Of the forms that a value may have, the one it comes nearest to is explained. */
function explainUnion(
  issue: Extract<Issue, { code: 'invalid_union' }>,
  path: readonly PropertyKey[],
  context: Context,
): ExplainedIssue[] {
  const ofWrongType = (issues: readonly Issue[]): boolean =>
    issues.some(
      (inner) => inner.path.length === 0 && (inner.code === 'invalid_type' || inner.code === 'invalid_value'),
    );
  const nearestForm = issue.errors.find((issues) => !ofWrongType(issues));
  if (nearestForm) return nearestForm.flatMap((inner) => explain(inner, path, context));
  const expected = [...new Set(issue.errors.flatMap((issues) => issues.map(expectedOf)))];
  const problem = `must be ${anyOf(expected)}, not ${kindOf(valueAt(context.data, path))}`;
  return [{ path, atKey: false, problem }];
}

function problemOf(issue: Issue, value: unknown): string {
  switch (issue.code) {
    case 'invalid_type':
      return value === undefined ? 'is missing' : `must be ${expectedOf(issue)}, not ${kindOf(value)}`;
    case 'invalid_value': {
      const words = issue.values.map(String);
      return `must be ${expectedOf(issue)}, not ${kindOf(value)}${typeof value === 'string' ? suggest(value, words) : ''}`;
    }
    case 'too_small':
    case 'too_big':
      return limitProblem(issue);
    default:
      return issue.message;
  }
}

function limitProblem(issue: Extract<Issue, { code: 'too_small' | 'too_big' }>): string {
  const [limit, word] = issue.code === 'too_small' ? [issue.minimum, 'least'] : [issue.maximum, 'most'];
  if (issue.code === 'too_small' && !issue.inclusive) return `must be more than ${limit}`;
  if (issue.origin === 'string') {
    return issue.code === 'too_small' && limit === 1 ? 'must not be empty' : `must be at ${word} ${limit} characters`;
  }
  if (issue.origin === 'array') return `must have at ${word} ${limit} entries`;
  return `must be at ${word} ${limit}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  object: 'a mapping',
  record: 'a mapping',
  array: 'a list',
};

function expectedOf(issue: Issue): string {
  if (issue.code === 'invalid_type') return typeNames[issue.expected] ?? issue.expected;
  if (issue.code === 'invalid_value') return anyOf(issue.values.map((value) => JSON.stringify(value)));
  return issue.message;
}

/** `a, b or c` */
function anyOf(words: readonly string[]): string {
  return [words.slice(0, -1).join(', '), words.at(-1)].filter(Boolean).join(' or ');
}

const longestQuote = 40;

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'empty';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  if (typeof value === 'number' || typeof value === 'boolean') return `${value}`;
  if (typeof value !== 'string') return typeof value;
  return JSON.stringify(value.length > longestQuote ? `${value.slice(0, longestQuote)}…` : value);
}

function suggest(word: string, candidates: readonly string[]): string {
  const [best] = nearest(word, candidates);
  return best === undefined ? '' : `; did you mean ${best}?`;
}

function valueAt(data: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null && Object.hasOwn(value, key)
        ? (value as Record<PropertyKey, unknown>)[key]
        : undefined,
    data,
  );
}

type JsonSchema = z.core.JSONSchema._JSONSchema;

/** The keys that the schema knows in the mapping at the path. */
function keysAt(schema: JsonSchema, path: readonly PropertyKey[]): string[] {
  const at = path.reduce<readonly JsonSchema[]>(
    (schemas, key) => schemas.flatMap((one) => step(one, String(key))),
    [schema],
  );
  return at.flatMap(forms).flatMap((form) => Object.keys(form.properties ?? {}));
}

function step(schema: JsonSchema, key: string): JsonSchema[] {
  return forms(schema).flatMap((form) => {
    const next =
      form.properties?.[key] ?? form.additionalProperties ?? (Array.isArray(form.items) ? undefined : form.items);
    return next === undefined ? [] : [next];
  });
}

/** A schema and, for a union, the schemas it is made of. */
function forms(schema: JsonSchema): z.core.JSONSchema.BaseSchema[] {
  if (typeof schema === 'boolean') return [];
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.allOf ?? [])].flatMap(forms)];
}
