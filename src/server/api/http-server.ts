/** What HTTP asks of a server before a request gets to its route. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import type { FastifyInstance } from 'fastify';
import { apiBase } from '../../contract/api.ts';
import { controlPath } from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';
import type { ServerConfig } from '../../contract/server-config.ts';
import { webSockets } from '../../contract/web-sockets.ts';

/** The part of Fastify's options that reaches Node's server. */
export function httpOptions({ tls }: Pick<ServerConfig, 'tls'>): object {
  // A request without a host is refused below, in the catalogue's form.
  const options = { requireHostHeader: false, shouldUpgradeCallback: asksForWebSocket };
  return tls ? { https: { ...options, cert: readFileSync(tls.cert), key: readFileSync(tls.key) } } : { http: options };
}

const socketPaths = [controlPath, ...Object.values(webSockets).map((path) => `${apiBase}${path}`)].map(
  (path) => new RegExp(`^${path.replaceAll(/:\w+/g, '[^/]+')}$`),
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
