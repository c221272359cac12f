/** Whether an answer is one that the server's own document promises. */
import { z } from 'zod';
import type { ApiDocument, JsonSchema, Operation } from './api-document.ts';
import type { Answer } from './wire.ts';

export type Judge = (answer: Answer, asked: { operation: Operation | null; method: string }) => string | null;

/** `unavailable`: the codes of the errors with a status from 500 on that the absence of a node or a gateway explains. */
export function createJudge({ errorSchema }: ApiDocument, unavailable: ReadonlySet<string>): Judge {
  const schemas = new Map<JsonSchema, z.ZodType>();
  const schemaOf = (schema: JsonSchema): z.ZodType => {
    const known = schemas.get(schema) ?? z.fromJSONSchema(schema as Parameters<typeof z.fromJSONSchema>[0]);
    schemas.set(schema, known);
    return known;
  };
  const mismatch = (schema: JsonSchema, value: unknown): string | null => {
    const { error } = schemaOf(schema).safeParse(value);
    return error ? `the body is not as documented: ${z.prettifyError(error)}` : null;
  };

  function judgeError({ status, headers, body }: Answer, method: string): string | null {
    if (method === 'HEAD') return null;
    const type = headers.get('content-type');
    if (type !== 'application/json; charset=utf-8') return `an error of the type ${type}`;
    const value = parseJson(body);
    const problem = mismatch(errorSchema, value);
    if (problem) return problem;
    const { error, request_id } = value as { error: string; request_id: string };
    if (status >= 500 && !unavailable.has(error)) return `a failure of the server: ${error}`;
    if (headers.get('x-request-id') !== request_id) return 'the request id of the body is not that of the header';
    if (status === 401 && headers.get('www-authenticate') === undefined) return 'a 401 without WWW-Authenticate';
    return null;
  }

  function judgeSuccess({ status, headers, body }: Answer, operation: Operation): string | null {
    const content = operation.answers.get(status)?.content;
    if (!content) return body.length > 0 ? 'a body where none is documented' : null;
    const type = headers.get('content-type')?.split(';')[0] ?? '';
    const described = content[type];
    if (!described) return `the type ${type} is not documented`;
    return type === 'application/json' ? mismatch(described.schema, parseJson(body)) : null;
  }

  return (answer, { operation, method }) => {
    const { status } = answer;
    if (status >= 500 && status !== 503) return `the status ${status}`;
    if (operation && !operation.answers.has(status)) return `the status ${status} is not documented`;
    if (status >= 400) return judgeError(answer, method);
    return operation && method !== 'HEAD' ? judgeSuccess(answer, operation) : null;
  };
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}
