/** What HTTP asks of a server before a request gets to its route. */
import type { IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { apiBase } from '../../contract/api.ts';
import { controlPath } from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import { webSockets } from '../../contract/web-sockets.ts';
import { readCertificate } from '../read-certificate.ts';

/** The part of Fastify's options that reaches Node's server. */
export function httpOptions({ tls }: Pick<ServerConfig, 'tls'>): object {
  // A request without a host is refused below, in the catalogue's form.
  const options = { requireHostHeader: false, shouldUpgradeCallback: asksForWebSocket };
  return tls ? { https: { ...options, ...readCertificate(tls) } } : { http: options };
}

const socketPaths = [controlPath, ...Object.values(webSockets).map((path) => `${apiBase}${path}`)].map(
  // What cannot be an id is no WebSocket's: Fastify's own refusals would leave its connection open.
  (path) => new RegExp(`^${path.replaceAll(/:\w+/g, '[A-Za-z0-9_-]{1,64}')}$`),
);

/** Every other wish to speak another protocol is passed over: `curl --http2` has it in each request. */
function asksForWebSocket({ method, url = '', headers }: IncomingMessage): boolean {
  const [path = ''] = url.split('?');
  return (
    method === 'GET' &&
    headers.upgrade?.toLowerCase() === 'websocket' &&
    socketPaths.some((pattern) => pattern.test(path))
  );
}

export function keepToHttp(app: FastifyInstance): void {
  // RFC 9110, section 10.1.1: what is not known may be passed over.
  app.server.on('checkExpectation', (request, response) => void app.server.emit('request', request, response));
  app.addHook('onRequest', async ({ raw }) => {
    if (raw.httpVersion === '1.1' && raw.headers.host === undefined)
      throw new NexusError('invalid_request', { fields: [{ path: 'Host', problem: 'is required' }] });
  });
}

/** Every connection of the server, WebSockets and such as never asked for anything too: what is left of them can be cut. */
export function holdConnections(app: FastifyInstance): { cut(): void } {
  const open = new Set<Socket>();
  app.server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.once('close', () => open.delete(socket));
  });
  return {
    cut() {
      for (const socket of open) socket.destroy();
    },
  };
}
