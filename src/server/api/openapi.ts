/** The OpenAPI 3.1 document, made from the schemas that validate. */
import { z } from 'zod';
import { apiBase, endpoints } from '../../contract/api.ts';
import type { Endpoint } from '../../contract/api.ts';
import { errorCatalogue } from '../../contract/error-catalogue.ts';
import { workspaceId } from '../../contract/ids.ts';
import { webSocketQueries, webSockets } from '../../contract/web-sockets.ts';

type Json = Record<string, unknown>;

export function openApiDocument({ version }: { version: string }): Json {
  const paths: Record<string, Json> = {};
  for (const [name, endpoint] of Object.entries<Endpoint>(endpoints)) {
    const [main, ...others] = [endpoint.path, ...(endpoint.aliases ?? [])].map((path) => `${apiBase}${path}`);
    for (const path of [main ?? '', ...others, ...(endpoint.rootAliases ?? [])]) {
      const operationId =
        path === main
          ? name
          : `${name}At${path.replace(apiBase, '').replaceAll(/[^a-z]+(\w?)/gi, (_, letter: string) => letter.toUpperCase())}`;
      const method = endpoint.method.toLowerCase();
      paths[template(path)] = { ...paths[template(path)], [method]: { ...operation(name, endpoint), operationId } };
    }
  }
  for (const [name, path] of Object.entries(webSockets) as [keyof typeof webSockets, string][]) {
    const at = template(`${apiBase}${path}`);
    paths[at] = { ...paths[at], get: socketOperation(`${name}Socket`, webSocketQueries[name]) };
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Nexus', version, license: { name: 'Apache-2.0', identifier: 'Apache-2.0' } },
    paths,
    components: {
      securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } },
      headers: responseHeaders,
      schemas: { Error: errorSchema() },
    },
  };
}

function template(path: string): string {
  return path.replaceAll(/:(\w+)/g, '{$1}');
}

/** On every answer; those of the limit where a token is needed. */
const responseHeaders = {
  'X-Request-Id': { description: "The client's when it is well formed, else a new one.", schema: { type: 'string' } },
  'X-RateLimit-Limit': { description: 'Requests that the user has in a minute.', schema: { type: 'integer' } },
  'X-RateLimit-Remaining': { description: 'How many are left.', schema: { type: 'integer' } },
  'X-RateLimit-Reset': { description: 'Seconds until they are all there again.', schema: { type: 'integer' } },
  'Retry-After': { description: 'Seconds to wait.', schema: { type: 'integer' } },
} as const;

function headers(...names: (keyof typeof responseHeaders)[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

function successHeaders(access: Endpoint['access']): Json {
  if (access === 'anyone') return headers('X-Request-Id');
  return headers('X-Request-Id', 'X-RateLimit-Limit', 'X-RateLimit-Remaining', 'X-RateLimit-Reset');
}

/** A failure after the upgrade comes as one text message, an error body. */
function socketOperation(operationId: string, query: z.ZodObject): Json {
  const access = 'user';
  return {
    operationId,
    summary: 'A WebSocket.',
    security: [{ bearer: [] }],
    parameters: [...parametersOf(z.object({ id: workspaceId }), 'path'), ...parametersOf(query, 'query')],
    responses: { 101: { description: 'The WebSocket is open.' }, ...errorResponses({ access }) },
  };
}

function operation(name: string, endpoint: Endpoint): Json {
  const parameters = [
    ...parametersOf(endpoint.params, 'path'),
    ...parametersOf(endpoint.query, 'query'),
    ...Object.entries(endpoint.headers ?? {}).map(([header, description]) => ({
      name: header,
      in: 'header',
      required: false,
      description,
      schema: { type: 'string' },
    })),
  ];
  const statuses = [endpoint.status, endpoint.otherStatus ?? endpoint.status];
  const answers = statuses.map((status) => [status, success(name, { ...endpoint, status })]);
  return {
    summary: endpoint.summary,
    ...(endpoint.access === 'anyone' ? {} : { security: [{ bearer: [] }] }),
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBody(name, endpoint),
    responses: { ...Object.fromEntries(answers), ...errorResponses(endpoint) },
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

function requestBody(name: string, { body }: Endpoint): Json {
  if (name === 'putSource')
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

/** Of endpoints whose answer is no JSON. */
const textAnswers: Readonly<Record<string, readonly string[]>> = {
  getLogs: ['text/plain', 'text/event-stream'],
  getEvents: ['text/event-stream'],
  getInstallScript: ['text/x-shellscript'],
  getDownload: ['application/octet-stream'],
};

const descriptions: Readonly<Record<number, string>> = {
  202: 'It is under way.',
  204: 'Done.',
  304: 'The client has it already.',
};

type Success = Pick<Endpoint, 'response' | 'access'> & { readonly status: number };

function success(name: string, { status, response, access }: Success): Json {
  const answer = { description: descriptions[status] ?? 'The answer.', headers: successHeaders(access) };
  if (status === 304) return answer;
  if (response !== null)
    return { ...answer, content: { 'application/json': { schema: jsonSchema(response, 'output') } } };
  const types = textAnswers[name];
  if (types === undefined) return answer;
  return { ...answer, content: Object.fromEntries(types.map((type) => [type, { schema: { type: 'string' } }])) };
}

/** Each status that any error may have, with the codes of the catalogue that go with it. */
function errorResponses({ access }: Pick<Endpoint, 'access'>): Json {
  const codesByStatus = Object.groupBy(Object.entries(errorCatalogue), ([, { status }]) => String(status));
  const possible = Object.entries(codesByStatus).filter(
    ([status]) => access !== 'anyone' || (status !== '401' && status !== '403'),
  );
  return Object.fromEntries(
    possible.map(([status, entries = []]) => [
      status,
      {
        description: entries.map(([code, { meaning }]) => `\`${code}\`: ${meaning}`).join('\n'),
        headers:
          status === '429' || status === '503' ? headers('X-Request-Id', 'Retry-After') : headers('X-Request-Id'),
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
