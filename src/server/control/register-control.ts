// For the types that it adds to Fastify's.
import '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { controlPath } from '../../contract/control-protocol.ts';
import { NexusError } from '../../contract/errors.ts';
import type { Hub } from './hub.ts';

/** The endpoint of agents and gateways. `@fastify/websocket` must be registered before. */
export function registerControl(app: FastifyInstance, hub: Pick<Hub, 'accept'>): void {
  app.route({
    method: 'GET',
    url: controlPath,
    handler: async ({ method }) => {
      throw new NexusError('not_found', { kind: 'endpoint', name: `${method} ${controlPath}` });
    },
    wsHandler: (socket, request) => {
      request.raw.socket?.setNoDelay(true);
      hub.accept(socket);
    },
  });
}
