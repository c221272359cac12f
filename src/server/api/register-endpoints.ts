/** Joins the table of endpoints with the handlers: who may, what comes in, what goes out. */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { apiBase, endpoints } from '../../contract/api.ts';
import type { Endpoint, EndpointName } from '../../contract/api.ts';
import type { HandlerDeps } from './app-deps.ts';
import { authenticateRequest } from './authenticate-request.ts';
import type { Call, Handlers } from './handler.ts';
import { uploadType } from './put-source.ts';
import { readRequest } from './read-request.ts';

/** Bodies that are not JSON, and may be larger than other bodies: they arrive as a stream. */
const streamedBodies: readonly EndpointName[] = ['putSource'];

export async function registerEndpoints(app: FastifyInstance, handlers: Handlers, deps: HandlerDeps): Promise<void> {
  const names = Object.keys(endpoints) as EndpointName[];
  for (const name of names.filter((one) => !streamedBodies.includes(one))) registerOne(app, name, handlers, deps);
  await app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser(uploadType, (_request, body, done) => done(null, body));
    for (const name of streamedBodies) registerOne(scope, name, handlers, deps);
  });
}

function registerOne(app: FastifyInstance, name: EndpointName, handlers: Handlers, deps: HandlerDeps): void {
  const endpoint: Endpoint = endpoints[name];
  const handle = handlers[name] as (call: Call<EndpointName>) => Promise<unknown>;
  const streamed = streamedBodies.includes(name);
  const paths = [endpoint.path, ...(endpoint.aliases ?? [])].map((path) => `${apiBase}${path}`);
  for (const url of [...paths, ...(endpoint.rootAliases ?? [])]) {
    app.route({
      method: endpoint.method,
      url,
      onRequest: (request, reply) => authenticateRequest(request, reply, { ...deps, access: endpoint.access }),
      handler: async (request, reply) => {
        const { params, query, body } = readRequest(
          endpoint,
          streamed ? { ...partsOf(request), body: undefined } : request,
        );
        void reply.code(endpoint.status);
        const call = { params, query, body, caller: request.caller, signal: clientGone(reply), request, reply };
        const answer = await handle(call as Call<EndpointName>);
        if (endpoint.status === 204) return reply.send();
        return endpoint.response === null ? reply : answer;
      },
    });
  }
}

function partsOf({ params, query }: { params: unknown; query: unknown }): { params: unknown; query: unknown } {
  return { params, query };
}

function clientGone(reply: FastifyReply): AbortSignal {
  const gone = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) gone.abort();
  });
  return gone.signal;
}
