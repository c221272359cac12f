/** What is outside of `/api/v1`: the metrics and the description of the API. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { NexusError } from '../../contract/errors.ts';
import { isLoopback } from '../../lib/loopback.ts';
import { version } from '../../lib/version.ts';
import type { AppDeps } from './app-deps.ts';
import { openApiDocument } from './openapi.ts';

export function registerRootRoutes(
  app: FastifyInstance,
  { config, metrics }: Pick<AppDeps, 'config' | 'metrics'>,
): void {
  const document = JSON.stringify(openApiDocument({ version }));
  app.get('/openapi.json', async (_request, reply) => reply.type('application/json; charset=utf-8').send(document));
  app.get('/metrics', async (request, reply) => {
    if (!config.metrics.public && !isFromThisMachine(request))
      throw new NexusError('forbidden', { reason: 'metrics are for this machine alone, unless metrics.public is set' });
    const { contentType, text } = await metrics.scrape();
    return reply.type(contentType).send(text);
  });
}

/** A proxy on this machine passes on requests from elsewhere, and says so. */
function isFromThisMachine({ ip, headers }: FastifyRequest): boolean {
  const forwarded = headers['x-forwarded-for'] !== undefined || headers['forwarded'] !== undefined;
  return !forwarded && isLoopback(ip.replace(/^::ffff:/, ''));
}
