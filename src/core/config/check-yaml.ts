import type { z } from 'zod';
import { explainIssues, pathText } from './explain-issues.ts';
import type { PositionedProblem, YamlFile } from './read-yaml.ts';

/** Each takes a walk through the document. */
const mostPositions = 200;

/** The data of the file (perhaps prepared) against the schema: its value, or every problem with its position. An empty file is an empty mapping. */
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
