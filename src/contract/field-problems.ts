/** What a schema found wrong, in words for people: one problem a field, every field. */
import type { z } from 'zod';
import type { FieldProblem } from './error-catalogue/request-errors.ts';
import { NexusError } from './errors.ts';

type Issue = z.core.$ZodIssue;
type Path = readonly PropertyKey[];
/** With the path in pieces, to find its place in a file. */
export type LocatedProblem = FieldProblem & { readonly segments: Path; readonly unknownKey: string | null };

/** `prefix`: where the value stands, e.g. `query`. */
export function fieldProblems(error: z.core.$ZodError, prefix: Path = []): FieldProblem[] {
  return locatedProblems(error, prefix).map(({ path, problem }) => ({ path, problem }));
}

export function locatedProblems(error: z.core.$ZodError, prefix: Path = []): LocatedProblem[] {
  return error.issues.flatMap((issue) => problemsOf(issue, prefix));
}

const mostProblems = 50;

/** With at most 50 problems: a request may have as many as it has bytes. */
export function invalidRequest(problems: readonly FieldProblem[]): NexusError<'invalid_request'> {
  const rest = problems.length - mostProblems;
  const more = rest > 0 ? [{ path: 'request', problem: `has ${rest} more problems` }] : [];
  return new NexusError('invalid_request', { fields: [...problems.slice(0, mostProblems), ...more] });
}

const longestPath = 200;

/** `services[0].health_check.type`; `body` for the value itself. */
export function pathText(path: Path): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  const shown = text.replace(/^\./, '') || 'body';
  return shown.length > longestPath ? `${shown.slice(0, longestPath)}…` : shown;
}

function problemsOf(issue: Issue, prefix: Path): LocatedProblem[] {
  const segments = [...prefix, ...issue.path];
  const one = (problem: string, at: Path = segments, unknownKey: string | null = null): LocatedProblem => ({
    path: pathText(at),
    problem,
    segments: at,
    unknownKey,
  });
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => one('is not known', [...segments, key], key));
    case 'invalid_value':
      return [
        one(
          `must be ${issue.values
            .filter((value) => value !== '')
            .map(String)
            .join(' or ')}`,
        ),
      ];
    case 'invalid_type':
      return [one(issue.message.endsWith('received undefined') ? 'is required' : `must be ${named(issue.expected)}`)];
    case 'invalid_union':
      return unionProblems(issue, segments) ?? [one(unionText(issue))];
    case 'invalid_key':
      return [one(issue.issues.map(({ message }) => message).join('; '))];
    case 'too_small':
      return [one(bound(issue.origin, issue.inclusive === false ? 'more than' : 'at least', issue.minimum))];
    case 'too_big':
      return [one(bound(issue.origin, issue.inclusive === false ? 'less than' : 'at most', issue.maximum))];
    default:
      return [one(lowerFirst(issue.message))];
  }
}

const countedIn: Readonly<Record<string, string>> = { string: 'characters', array: 'entries' };

function bound(origin: string, relation: string, limit: number | bigint): string {
  const unit = countedIn[origin];
  return unit === undefined ? `must be ${relation} ${limit}` : `must have ${relation} ${limit} ${unit}`;
}

type UnionIssue = Extract<Issue, { code: 'invalid_union' }>;

/** Those of the one form that the value has the type of. */
function unionProblems(issue: UnionIssue, segments: Path): LocatedProblem[] | undefined {
  const ofItsType = issue.errors.find(
    (issues) => !issues.some(({ code, path }) => code === 'invalid_type' && path.length === 0),
  );
  return ofItsType?.flatMap((inner) => problemsOf(inner, segments));
}

function unionText(issue: UnionIssue): string {
  if (!('options' in issue)) {
    const expected = issue.errors.flatMap(([first]) => (first?.code === 'invalid_type' ? [named(first.expected)] : []));
    return `must be ${[...new Set(expected)].join(' or ')}`;
  }
  return `must be ${(issue.options as unknown[]).map(String).join(' or ')}`;
}

const names: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function named(type: string): string {
  return names[type] ?? type;
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}
