/**
 * The server's configuration: defaults, the YAML file over them, the environment over both. A key's variable is
 * `NEXUS_` and its path in capitals: `NEXUS_LISTEN_PORT`.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { z } from 'zod';
import { NexusError } from '../contract/errors.ts';
import { fieldProblems, locatedProblems, pathText } from '../contract/field-problems.ts';
import type { LocatedProblem } from '../contract/field-problems.ts';
import { serverConfig } from '../contract/server-config.ts';
import type { ServerConfig } from '../contract/server-config.ts';
import { maxYamlBytes, readYaml } from '../core/config/read-yaml.ts';
import type { YamlFile } from '../core/config/read-yaml.ts';
import { nearest } from '../core/nearest.ts';

type Environment = Readonly<Record<string, string | undefined>>;
type Key = { readonly path: readonly string[]; readonly schema: z.ZodType };

/**
 * @param file the configuration file; absent: defaults and environment alone
 * @throws config_invalid naming every problem with file, line and column
 */
export function loadConfig({ file, env }: { file?: string | undefined; env: Environment }): ServerConfig {
  const source = file === undefined ? { value: {}, place: () => ({}) } : readConfig(file);
  const value = withEnvironment(source.value, env);
  const parsed = serverConfig.safeParse(value);
  if (parsed.success) return parsed.data;
  const problems = locatedProblems(parsed.error).map((problem) => ({
    path: problem.segments.length === 0 ? 'file' : problem.path,
    problem: suggest(problem),
    ...source.place(problem),
  }));
  throw new NexusError('config_invalid', { file: file ?? 'configuration', problems, of: 'server' });
}

type Place = { line?: number; column?: number };
type Source = { value: unknown; place: (problem: LocatedProblem) => Place };

function readConfig(file: string): Source {
  const yaml = readAsServers(readText(file), file);
  return {
    value: yaml.data ?? {},
    place: ({ segments, unknownKey }) => (unknownKey === null ? yaml.valueAt(segments) : yaml.keyAt(segments)),
  };
}

function readAsServers(text: string, file: string): YamlFile {
  try {
    return readYaml(text, file);
  } catch (error) {
    if (!(error instanceof NexusError) || error.code !== 'config_invalid') throw error;
    const details = { ...(error as NexusError<'config_invalid'>).details, of: 'server' as const };
    throw new NexusError('config_invalid', details, { cause: error });
  }
}

function readText(file: string): string {
  try {
    return readBeginning(file);
  } catch (error) {
    throw unreadable(file, error);
  }
}

const readingProblems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EACCES: 'it may not be read',
  EISDIR: 'it is a folder',
};

/** config_invalid of a file that the server needs and does not get. @param key that names the file, in the configuration */
export function unreadable(file: string, error: unknown, key = ''): NexusError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const problem = readingProblems[code] ?? `it cannot be read: ${message}`;
  const details =
    key === ''
      ? { file, problems: [{ path: '', problem }] }
      : { file: 'configuration', problems: [{ path: key, problem: `${file}: ${problem}` }] };
  return new NexusError('config_invalid', { ...details, of: 'server' }, { cause: error });
}

/** As much as is taken, and a byte more; also of what is no plain file. */
function readBeginning(file: string): string {
  const bytes = Buffer.alloc(maxYamlBytes + 1);
  const descriptor = openSync(file, 'r');
  try {
    let length = 0;
    for (let read = -1; read !== 0 && length < bytes.length; length += read)
      read = readSync(descriptor, bytes, length, bytes.length - length, null);
    return bytes.toString('utf8', 0, length);
  } finally {
    closeSync(descriptor);
  }
}

function suggest({ segments, problem, unknownKey }: LocatedProblem): string {
  if (unknownKey === null) return problem;
  const parent = pathText(segments.slice(0, -1));
  const known = knownKeys(serverConfig).map(({ path }) => path);
  const siblings = known.filter(
    (path) => path.length >= segments.length && pathText(path.slice(0, segments.length - 1)) === parent,
  );
  const [best] = nearest(
    unknownKey,
    siblings.map((path) => path[segments.length - 1] ?? ''),
  );
  const elsewhere = known.find((path) => path.at(-1) === unknownKey);
  const meant = best ?? (elsewhere ? pathText(elsewhere) : undefined);
  return meant === undefined ? problem : `${problem}; did you mean ${meant}?`;
}

function withEnvironment(value: unknown, env: Environment): unknown {
  let result = value;
  for (const { path, schema } of knownKeys(serverConfig)) {
    const variable = `NEXUS_${path.join('_').toUpperCase()}`;
    const text = env[variable];
    if (text !== undefined && text !== '') result = withValue(result, path, environmentValue(variable, text, schema));
  }
  return result;
}

/** As text where the key takes text, else as YAML, else as a list with commas. */
function environmentValue(variable: string, text: string, schema: z.ZodType): unknown {
  const readings = [text, yamlReading(text), text.split(',').map((part) => part.trim())];
  const fitting = readings.find((reading) => schema.safeParse(reading).success);
  if (fitting !== undefined) return fitting;
  const { error } = schema.safeParse(readings[1]);
  const problem = (error ? fieldProblems(error) : []).map((one) => one.problem).join('; ');
  throw new NexusError('config_invalid', {
    file: 'environment',
    problems: [{ path: variable, problem }],
    of: 'server',
  });
}

/** Undefined for what is no YAML. */
function yamlReading(text: string): unknown {
  try {
    return readYaml(text, 'environment').data;
  } catch {
    return undefined;
  }
}

/** A copy with the value at the path; what stands in the way is left for the schema to refuse. */
function withValue(target: unknown, [name, ...rest]: readonly string[], value: unknown): unknown {
  if (name === undefined) return value;
  if (typeof target !== 'object' || target === null || Array.isArray(target)) return target;
  const record = target as Record<string, unknown>;
  return { ...record, [name]: withValue(record[name] ?? {}, rest, value) };
}

/** Every key that takes a value, below the schema's objects. */
function knownKeys(schema: z.ZodType, path: readonly string[] = []): Key[] {
  const inner = unwrapped(schema);
  if (!(inner instanceof z.ZodObject)) return [{ path, schema }];
  return Object.entries(inner.shape).flatMap(([name, child]) => knownKeys(child as z.ZodType, [...path, name]));
}

function unwrapped(schema: z.ZodType): z.ZodType {
  const wraps = schema instanceof z.ZodOptional || schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault;
  return wraps ? unwrapped(schema.unwrap() as z.ZodType) : schema;
}
