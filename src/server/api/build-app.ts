/** The HTTP server: the whole API, ready to listen. */
import { once } from 'node:events';
import { finished } from 'node:stream';
import rateLimit from '@fastify/rate-limit';
import websocket from '@fastify/websocket';
import { LogController, fastify } from 'fastify';
import type { FastifyInstance, FastifyRequest, FastifyServerOptions } from 'fastify';
import { NexusError } from '../../contract/errors.ts';
import type { AppDeps, HandlerDeps } from './app-deps.ts';
import { answerBrokenRequest, answerBrokenUpgrade, answerError, answerErrors } from './error-answers.ts';
import { createHandlers } from './handlers.ts';
import { httpOptions, keepToHttp } from './http-server.ts';
import { dropUselessUploads, uploadType } from './put-source.ts';
import { RateLimitStore } from './rate-limit-store.ts';
import { registerEndpoints } from './register-endpoints.ts';
import { requestIdOf } from './request-id.ts';
import { registerRootRoutes } from './root-routes.ts';
import { registerSignInPages } from './sign-in.ts';
import { registerSockets } from './sockets.ts';

const bodyLimitBytes = 2 ** 20;
const socketCloseTimeoutMs = 2_000;
const bodyWithinMs = 30_000;

/**
 * More routes may be added before it listens. `close()` ends streams, refuses new requests and waits for the running
 * ones; nodes stay connected until then, as a request may need them.
 */
export async function buildApp(deps: AppDeps): Promise<FastifyInstance> {
  await dropUselessUploads(deps.config.data_dir, deps.store);
  const app = fastify({
    loggerInstance: deps.log,
    logController: new LogController({ disableRequestLogging: true, requestIdLogLabel: 'request_id' }),
    requestIdHeader: false,
    genReqId: requestIdOf,
    bodyLimit: bodyLimitBytes,
    // Answered in the catalogue's form below.
    return503OnClosing: false,
    clientErrorHandler: answerBrokenRequest,
    frameworkErrors: (error, request, reply) => void answerError(error, request, reply),
    ...httpOptions(deps.config),
  } as FastifyServerOptions) as FastifyInstance;
  const closing = refuseWhenClosing(app);
  const handlerDeps: HandlerDeps = { ...deps, closing };
  app.decorateRequest('caller', null);
  app.addHook('onRequest', async (request, reply) => void reply.header('x-request-id', request.id));
  keepToHttp(app);
  takeJson(app);
  endSlowBodies(app, deps.bodyWithinMs ?? bodyWithinMs);
  answerErrors(app);
  observeAnswers(app, deps);
  await app.register(rateLimit, {
    max: deps.config.limits.requests_per_minute,
    timeWindow: 60_000,
    store: RateLimitStore,
    keyGenerator: (request) => String(request.caller?.githubId),
    // Whoever needs not sign in is nobody in particular.
    allowList: (request) => request.caller === null,
    errorResponseBuilder: (_request, { max, ttl }) =>
      new NexusError('rate_limited', { limit: max, retry_after_seconds: Math.ceil(ttl / 1000) }),
  });
  await app.register(websocket, {
    options: { maxPayload: bodyLimitBytes, perMessageDeflate: false },
    preClose: closeSockets,
    // What is no frame is the client's fault; the plugin would call it the server's.
    errorHandler: (error, socket, request) => {
      request.log.debug({ err: error }, 'a WebSocket broke off');
      socket.terminate();
    },
  });
  app.websocketServer.on('wsClientError', answerBrokenUpgrade);
  await registerEndpoints(app, createHandlers(handlerDeps), handlerDeps);
  registerSockets(app, handlerDeps);
  registerRootRoutes(app, deps);
  registerSignInPages(app, deps);
  return app;
}

function refuseWhenClosing(app: FastifyInstance): AbortSignal {
  const closing = new AbortController();
  const running = new Set<Promise<unknown>>();
  app.addHook('onRequest', async (request, { raw }) => {
    if (closing.signal.aborted) throw new NexusError('shutting_down', {});
    // WebSockets have no end of their own: they are closed below.
    if (request.headers.upgrade !== undefined) return;
    const end = once(raw, 'close').finally(() => running.delete(end));
    running.add(end);
  });
  app.addHook('preClose', async () => {
    closing.abort();
    await Promise.allSettled(running);
  });
  return closing.signal;
}

/** JSON alone. Many clients send the type of a body that they do not have. */
function takeJson(app: FastifyInstance): void {
  app.removeContentTypeParser('text/plain');
  const parseJson = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, body, done) => {
    if (body === '') done(null, undefined);
    else void parseJson(request, body, done);
  });
}

/** Whoever sends a body a byte at a time would hold a connection for ever. Uploads have a rule of their own. */
function endSlowBodies(app: FastifyInstance, withinMs: number): void {
  app.addHook('preParsing', async ({ raw }, _reply, payload) => {
    const { headers } = raw;
    // Nobody reads an empty one to its end.
    const hasBody = Number(headers['content-length'] ?? 0) > 0 || headers['transfer-encoding'] !== undefined;
    if (!hasBody || headers['content-type'] === uploadType) return;
    const timer = setTimeout(() => raw.socket.destroy(), withinMs).unref();
    finished(payload, () => clearTimeout(timer));
  });
}

function closeSockets(this: FastifyInstance, done: () => void): void {
  const { clients } = this.websocketServer;
  for (const socket of clients) socket.close(1001, 'the server is stopping');
  this.websocketServer.close();
  // Of those who do not answer the close.
  setTimeout(() => clients.forEach((socket) => socket.terminate()), socketCloseTimeoutMs).unref();
  done();
}

/** One line of log and one observation an answer. Paths without what follows them: commands may stand in it. */
function observeAnswers(app: FastifyInstance, { metrics }: Pick<AppDeps, 'metrics'>): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method } = request;
    const seconds = reply.elapsedTime / 1000;
    const status = reply.statusCode;
    metrics.httpAnswered({ method, route: request.routeOptions.url ?? 'none', status, seconds });
    const line = { method, path: pathOf(request), status, seconds, user: request.caller?.githubUsername };
    request.log[levelOf(method, status)](line, 'answered');
  });
}

function pathOf(request: FastifyRequest): string {
  return request.url.split(/[?#]/)[0] ?? '';
}

/** What changed something, and what failed, is of interest afterwards. */
function levelOf(method: string, status: number): 'debug' | 'info' | 'warn' {
  if (status >= 500) return 'warn';
  return method === 'GET' && status < 400 ? 'debug' : 'info';
}
