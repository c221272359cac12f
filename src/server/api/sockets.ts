/** The WebSockets: a terminal, and a connection to a port. Both carry the bytes of one stream to the workspace. */
import type { Duplex } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createWebSocketStream } from 'ws';
import type { WebSocket } from 'ws';
import { z } from 'zod';
import { apiBase } from '../../contract/api.ts';
import { webSocketQueries, webSockets } from '../../contract/web-sockets.ts';
import { NexusError, toNexusError } from '../../contract/errors.ts';
import { workspaceId } from '../../contract/ids.ts';
import { keepForSession } from '../../contract/stream-client.ts';
import type { StreamRequest } from '../../contract/stream-protocol.ts';
import { endPingFloods } from '../end-ping-floods.ts';
import type { HandlerDeps } from './app-deps.ts';
import { authenticateRequest } from './authenticate-request.ts';
import { errorBodyFor, logError, noEndpoint } from './error-answers.ts';
import { findOwnWorkspace, nodeOf } from './find-workspace.ts';
import type { Caller } from './handler.ts';
import { openTunnel } from './open-tunnel.ts';
import { readRequest } from './read-request.ts';
import { refuse } from './workspace-lifecycle.ts';

type Asked = { id: string; caller: Caller; query: unknown; signal: AbortSignal };
type Open = (asked: Asked) => Promise<Duplex>;

export function registerSockets(app: FastifyInstance, deps: HandlerDeps): void {
  const { store, openStream } = deps;
  const openExec: Open = async ({ id, caller, query, signal }) => {
    const workspace = await findOwnWorkspace(store.db, caller, id);
    refuse(workspace, 'exec');
    return openStream(nodeOf(workspace), execRequest(id, query as ExecQuery), { signal });
  };
  const openPort: Open = ({ id, caller, query, signal }) =>
    openTunnel(deps, { id, caller, port: (query as { port: number }).port, signal });
  register(app, deps, { path: webSockets.exec, query: webSocketQueries.exec, open: openExec });
  register(app, deps, { path: webSockets.tunnel, query: webSocketQueries.tunnel, open: openPort });
}

type ExecQuery = z.output<typeof webSocketQueries.exec>;

function execRequest(id: string, { command, cwd, tty, columns, rows, term }: ExecQuery): StreamRequest {
  const terminal = tty ? { terminal: { columns, rows, type: term } } : {};
  return { kind: 'exec', workspace_id: id, command, ...(cwd === undefined ? {} : { cwd }), ...terminal };
}

type SocketRoute = { path: string; query: z.ZodObject; open: Open };

function register(app: FastifyInstance, deps: HandlerDeps, { path, query, open }: SocketRoute): void {
  const params = z.object({ id: workspaceId });
  app.route({
    method: 'GET',
    url: `${apiBase}${path}`,
    onRequest: (request, reply) => authenticateRequest(request, reply, { ...deps, access: 'user' }),
    handler: async (request) => {
      throw noEndpoint(request);
    },
    wsHandler: (socket, request) => {
      request.raw.socket.setNoDelay(true);
      keepForSession(request.raw.socket);
      endPingFloods(socket);
      // Before anything is waited for: what the client sends meanwhile is kept.
      const client = createWebSocketStream(socket);
      client.on('error', () => undefined);
      const gone = new AbortController();
      socket.once('close', () => gone.abort());
      const signal = AbortSignal.any([gone.signal, deps.closing]);
      const serve = async (): Promise<void> => {
        const read = readRequest({ params, query }, request);
        const { id } = read.params as { id: string };
        const stream = await open({ id, caller: requireCaller(request), query: read.query, signal });
        if (gone.signal.aborted) return void stream.destroy();
        await splice(client, stream).catch((cause: unknown) => request.log.debug({ err: cause }, 'a stream broke off'));
      };
      serve().catch((thrown: unknown) => refuseSocket(socket, request, toNexusError(thrown)));
    },
  });
}

/** Until both ends are closed. Either may break off: that ends the other, and is no failure of ours. */
async function splice(client: Duplex, stream: Duplex): Promise<void> {
  // A WebSocket is closed both ways at once: what it sent is passed on, and what would still come has nowhere to go.
  const toWorkspace = pipeline(client, stream).finally(() => stream.destroy());
  await Promise.all([toWorkspace, pipeline(stream, client)]);
}

function refuseSocket(socket: WebSocket, request: FastifyRequest, error: NexusError): void {
  logError(error, request);
  socket.send(JSON.stringify(errorBodyFor(error, request.id)), { binary: false });
  socket.close(1011, error.code);
}

function requireCaller(request: FastifyRequest): Caller {
  if (request.caller === null) throw new NexusError('unauthorized', { reason: 'the request has no token' });
  return request.caller;
}
