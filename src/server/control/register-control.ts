// For the types that it adds to Fastify's.
import '@fastify/websocket';
import type { FastifyInstance } from 'fastify';
import { controlPath } from '../../contract/control-protocol.ts';
import type { Hub } from './hub.ts';

/** The endpoint of agents and gateways. `@fastify/websocket` must be registered before. */
export function registerControl(app: FastifyInstance, hub: Pick<Hub, 'accept'>): void {
  app.get(controlPath, { websocket: true }, (socket, request) => {
    request.raw.socket?.setNoDelay(true);
    hub.accept(socket);
  });
}
