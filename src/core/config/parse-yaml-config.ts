import type { z } from 'zod';
import { explainIssues, pathText } from './explain-issues.ts';
import { invalidConfig, readYaml, type PositionedProblem, type YamlFile } from './read-yaml.ts';

/** Each takes a walk through the document. */
const mostPositions = 200;

/**
 * A YAML file as the schema's output; an empty file is an empty mapping.
 * @throws config_invalid with every problem, its line and column, and the nearest right word
 */
export function parseYamlConfig<S extends z.ZodType>(schema: S, text: string, file: string): z.output<S> {
  const yaml = readYaml(text, file);
  const parsed = checkYaml(schema, yaml, yaml.data);
  if ('problems' in parsed) throw invalidConfig(file, parsed.problems);
  return parsed.value;
}

/** The data of the file (perhaps prepared) against the schema: its value, or the problems with their positions. */
export function checkYaml<S extends z.ZodType>(
  schema: S,
  yaml: YamlFile,
  data: unknown,
): { value: z.output<S> } | { problems: readonly PositionedProblem[] } {
  const given = data ?? {};
  const parsed = schema.safeParse(given);
  if (parsed.success) return { value: parsed.data };
  const problems = explainIssues(schema, given, parsed.error.issues).map(({ path, problem, atKey }, index) => ({
    path: pathText(path),
    problem,
    ...(index >= mostPositions ? {} : atKey ? yaml.keyAt(path) : yaml.valueAt(path)),
  }));
  return { problems };
}
