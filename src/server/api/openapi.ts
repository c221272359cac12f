/** The OpenAPI 3.1 document, made from the schemas that validate. */
import { z } from 'zod';
import { apiBase, endpoints } from '../../contract/api.ts';
import type { Endpoint } from '../../contract/api.ts';
import { errorCatalogue } from '../../contract/error-catalogue.ts';

type Json = Record<string, unknown>;

export function openApiDocument({ version }: { version: string }): Json {
  const paths: Record<string, Json> = {};
  for (const [name, endpoint] of Object.entries<Endpoint>(endpoints)) {
    const [main, ...others] = [endpoint.path, ...(endpoint.aliases ?? [])].map((path) => `${apiBase}${path}`);
    for (const path of [main ?? '', ...others, ...(endpoint.rootAliases ?? [])]) {
      const operationId =
        path === main
          ? name
          : `${name}At${path.replaceAll(/[^a-z]+(\w?)/gi, (_, letter: string) => letter.toUpperCase())}`;
      const template = path.replaceAll(/:(\w+)/g, '{$1}');
      paths[template] = { ...paths[template], [endpoint.method.toLowerCase()]: operation(operationId, endpoint) };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Nexus', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      schemas: { Error: errorSchema() },
    },
  };
}

function operation(operationId: string, endpoint: Endpoint): Json {
  const parameters = [...parametersOf(endpoint.params, 'path'), ...parametersOf(endpoint.query, 'query')];
  return {
    operationId,
    summary: endpoint.summary,
    ...(endpoint.access === 'anyone' ? {} : { security: [{ bearer: [] }] }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(operationId, endpoint),
    responses: { [endpoint.status]: success(operationId, endpoint), ...errorResponses(endpoint) },
  };
}

function parametersOf(schema: z.ZodObject | undefined, place: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties = {}, required = [] } = jsonSchema(schema, 'input') as { properties?: Json; required?: string[] };
  return Object.entries(properties).map(([name, one]) => ({
    name,
    in: place,
    required: place === 'path' || required.includes(name),
    schema: one,
  }));
}

function requestBody(operationId: string, { body }: Endpoint): Json {
  if (operationId === 'putSource')
    return {
      requestBody: {
        required: true,
        content: { 'application/octet-stream': { schema: { type: 'string', format: 'binary' } } },
      },
    };
  if (body === undefined) return {};
  const required = !body.safeParse(undefined).success;
  return { requestBody: { required, content: { 'application/json': { schema: jsonSchema(body, 'input') } } } };
}

const textAnswers: Readonly<Record<string, readonly string[]>> = {
  getLogs: ['text/plain', 'text/event-stream'],
  getEvents: ['text/event-stream'],
};

function success(operationId: string, { status, response }: Endpoint): Json {
  const description = status === 204 ? 'Done.' : status === 202 ? 'It is under way.' : 'The answer.';
  if (response !== null)
    return { description, content: { 'application/json': { schema: jsonSchema(response, 'output') } } };
  const types = textAnswers[operationId];
  if (types === undefined) return { description };
  return { description, content: Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }])) };
}

/** Each status that any error may have, with the codes of the catalogue that go with it. */
function errorResponses({ access }: Endpoint): Json {
  const codesByStatus = Object.groupBy(Object.entries(errorCatalogue), ([, { status }]) => String(status));
  const possible = Object.entries(codesByStatus).filter(
    ([status]) => access !== 'anyone' || (status !== '401' && status !== '403'),
  );
  return Object.fromEntries(
    possible.map(([status, entries = []]) => [
      status,
      {
        description: entries.map(([code, { meaning }]) => `\`${code}\`: ${meaning}`).join('\n'),
        content: { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } },
      },
    ]),
  );
}

function errorSchema(): Json {
  return {
    type: 'object',
    required: ['error', 'message', 'details', 'hint', 'request_id'],
    properties: {
      error: { type: 'string', enum: Object.keys(errorCatalogue) },
      message: { type: 'string' },
      details: { type: 'object' },
      hint: { type: ['string', 'null'], description: 'A next step.' },
      request_id: { type: 'string' },
    },
  };
}

function jsonSchema(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _dialect, ...rest } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    target: 'draft-2020-12',
  });
  return rest;
}
