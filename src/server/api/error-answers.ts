/** Every failure, in the form of the catalogue. */
import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { NexusError } from '../../contract/errors.ts';
import type { ErrorBody, ErrorDetails } from '../../contract/errors.ts';
import { newId } from '../../contract/ids.ts';
import { requestIdOf } from './request-id.ts';

/** What a client that got a 503 is told to wait. */
const retryAfterSeconds = 5;
const lingerMs = 2_000;

export function answerErrors(app: FastifyInstance): void {
  app.setErrorHandler((thrown, request, reply) => answerError(thrown, request, reply));
  app.setNotFoundHandler((request, reply) => answerError(noEndpoint(request), request, reply));
}

export function noEndpoint({ method, url }: Pick<FastifyRequest, 'method' | 'url'>): NexusError {
  const [path = ''] = url.split(/[?#]/);
  return new NexusError('not_found', { kind: 'endpoint', name: `${method} ${path}` });
}

export function answerError(thrown: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const error = catalogued(thrown, request);
  logError(error, request);
  // Also for what was refused before any hook ran.
  reply.header('x-request-id', request.id);
  // The rest of the body is passed over: a connection that is closed while it comes takes the answer with it.
  if (error.code === 'payload_too_large') reply.removeHeader('connection');
  if (error.status === 401) reply.header('www-authenticate', 'Bearer');
  if (error.status === 503) reply.header('retry-after', retryAfterOf(error));
  return reply.code(error.status).type('application/json; charset=utf-8').send(errorBodyFor(error, request.id));
}

/** In seconds. */
function retryAfterOf(error: NexusError): number {
  if (error.code !== 'github_rate_limited') return retryAfterSeconds;
  const { reset_at } = error.details as ErrorDetails<'github_rate_limited'>;
  return Math.max(retryAfterSeconds, Math.ceil((Date.parse(reset_at) - Date.now()) / 1000));
}

/** For the client: of an internal error, only the request id. */
export function errorBodyFor(error: NexusError, requestId: string): ErrorBody {
  const shown = error.code === 'internal' ? new NexusError('internal', { request_id: requestId }) : error;
  return { ...shown.toBody(), request_id: requestId };
}

export function logError(error: NexusError, request: Pick<FastifyRequest, 'log'>): void {
  if (error.code === 'internal') request.log.error({ err: error.cause ?? error }, 'the request failed');
  else if (error.cause !== undefined) request.log.warn({ err: error.cause, error: error.code }, error.message);
}

/** Fastify's own refusals, and whatever else was thrown, as one of ours. */
function catalogued(thrown: unknown, request: FastifyRequest): NexusError {
  if (thrown instanceof NexusError) return thrown;
  const { code, statusCode, message } = (thrown ?? {}) as Partial<FastifyError>;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return new NexusError('payload_too_large', { limit_bytes: request.routeOptions.bodyLimit });
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    const got = request.headers['content-type'] ?? 'of no type';
    return new NexusError('unsupported_media_type', { got, expected: expectedType(request) });
  }
  // Their own messages hold the whole address: what stands in the query belongs in no log.
  if (code === 'FST_ERR_BAD_URL' || code === 'FST_ERR_MAX_PARAM_LENGTH')
    return new NexusError('invalid_request', { fields: [{ path: 'path', problem: 'is not a well-formed path' }] });
  if (statusCode !== undefined && statusCode >= 400 && statusCode < 500) {
    const fields = [{ path: 'body', problem: message ?? 'cannot be read' }];
    return new NexusError('invalid_request', { fields }, { cause: thrown });
  }
  return new NexusError('internal', {}, { cause: thrown });
}

function expectedType(request: FastifyRequest): string {
  return request.routeOptions.url?.endsWith('/source') ? 'application/octet-stream' : 'application/json';
}

/** What is not even HTTP gets an answer of the same form. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const tooLong = error.code === 'HPE_HEADER_OVERFLOW';
  const problem = tooLong ? 'the headers are too long' : 'this is not a well-formed HTTP request';
  refuseConnection(socket, { problem, requestId: newId('req') });
}

/** So does a WebSocket's first request that is not one (RFC 6455, section 4.2.1). */
export function answerBrokenUpgrade({ message }: Error, socket: Duplex, request: IncomingMessage): void {
  refuseConnection(socket, { problem: message, requestId: requestIdOf(request) });
}

function refuseConnection(socket: Duplex, { problem, requestId }: { problem: string; requestId: string }): void {
  const refusal = new NexusError('invalid_request', { fields: [{ path: 'request', problem }] });
  const body = JSON.stringify(errorBodyFor(refusal, requestId));
  const head = [
    `HTTP/1.1 ${refusal.status} ${STATUS_CODES[refusal.status]}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    `X-Request-Id: ${requestId}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
  // A client that does not end its side would hold the connection for ever; one that still sends must get the answer.
  setTimeout(() => socket.destroy(), lingerMs).unref();
}
