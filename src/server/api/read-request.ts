/** What came with a request, checked by the endpoint's schemas; every problem is named at once. */
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { Endpoint } from '../../contract/api.ts';
import { NexusError } from '../../contract/errors.ts';
import type { FieldProblem } from '../../contract/error-catalogue/request-errors.ts';
import { fieldProblems, invalidRequest } from '../../contract/field-problems.ts';

const nothing = z.strictObject({});
const noBody = nothing.nullish();

type Schemas = Pick<Endpoint, 'params' | 'query' | 'body'>;
export type RequestParts = { params: unknown; query: unknown; body: unknown };

/**
 * @throws invalid_request naming every field
 * @throws not_found when the path names what cannot exist, such as a malformed id
 */
export function readRequest(
  endpoint: Schemas,
  request: Pick<FastifyRequest, 'params' | 'query' | 'body'>,
): RequestParts {
  const params = readParams(endpoint.params ?? nothing, request.params);
  const problems: FieldProblem[] = [];
  const read = (schema: z.ZodType, value: unknown): unknown => {
    const parsed = schema.safeParse(value);
    if (parsed.success) return parsed.data;
    problems.push(...fieldProblems(parsed.error));
    return undefined;
  };
  const query = read(endpoint.query ?? nothing, request.query);
  // `null` is how JSON says that there is nothing.
  const body = read(endpoint.body ?? noBody, request.body ?? undefined);
  if (problems.length > 0) throw invalidRequest(problems);
  return { params, query, body };
}

function readParams(schema: z.ZodType, value: unknown): unknown {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [name] = parsed.error.issues[0]?.path ?? [];
  const text = (value as Record<string, unknown>)[String(name)];
  throw new NexusError('not_found', { kind: name === 'id' ? 'workspace' : 'service', name: String(text) });
}
