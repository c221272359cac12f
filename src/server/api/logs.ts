import type { IncomingHttpHeaders } from 'node:http';
import { createInterface } from 'node:readline';
import type { Duplex } from 'node:stream';
import { NexusError } from '../../contract/errors.ts';
import { logPlace, splitPlace } from '../../contract/log-place.ts';
import { hookNames } from '../../contract/service-spec.ts';
import { nearest } from '../../core/nearest.ts';
import { listServices } from '../store/services.ts';
import type { Db } from '../store/store.ts';
import type { HandlerDeps } from './app-deps.ts';
import { errorBodyFor } from './error-answers.ts';
import { openEventStream } from './event-stream.ts';
import type { EventStream } from './event-stream.ts';
import { findOwnWorkspace, nodeOf } from './find-workspace.ts';
import type { Handler } from './handler.ts';
import { refuse } from './workspace-lifecycle.ts';

type Deps = Pick<HandlerDeps, 'store' | 'openStream' | 'closing' | 'heartbeatMs'>;

export function logsHandler(deps: Deps): Handler<'getLogs'> {
  const { store, openStream, closing } = deps;
  return async ({ params, query, caller, signal, request, reply }) => {
    const workspace = await findOwnWorkspace(store.db, caller, params.id);
    const { service: source, lines, follow = false } = query;
    if (source !== undefined) await checkSource(store.db, params.id, source);
    // The agent would know it by its id alone; and a reader that comes in now would hold up the stop.
    if (workspace.status === 'stopped' || workspace.step === 'stopping_container') refuse(workspace, 'exec');
    const ofSource = source === undefined ? {} : { source };
    const resume = follow ? { places: true as const, ...placeToResume(request.headers) } : {};
    const logRequest = { kind: 'logs', workspace_id: params.id, ...ofSource, lines, follow, ...resume } as const;
    const logs = await openStream(nodeOf(workspace), logRequest, { signal: AbortSignal.any([signal, closing]) });
    if (!follow) {
      // Fastify ends only the side that it reads.
      logs.once('end', () => logs.destroy());
      void reply.type('text/plain; charset=utf-8').send(logs);
      return;
    }
    const stream = openEventStream(reply, deps);
    await followLines(logs, stream).catch(async (thrown: unknown) => {
      await stream.send({ event: 'error', data: JSON.stringify(errorBodyFor(asStreamFailure(thrown), request.id)) });
    });
    stream.end();
  };
}

/** An event a line, no faster than the client takes them. */
async function followLines(logs: Duplex, stream: EventStream): Promise<void> {
  stream.closed.addEventListener('abort', () => logs.destroy(), { once: true });
  const failed = Promise.withResolvers<never>();
  failed.promise.catch(() => undefined);
  logs.once('error', failed.reject);
  const lines = createInterface({ input: logs, crlfDelay: Infinity })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await Promise.race([lines.next(), failed.promise]);
      if (next.done || stream.closed.aborted) return;
      const { place, line } = splitPlace(next.value);
      await stream.send({ ...(place === null ? {} : { id: place }), data: line });
    }
  } catch (thrown) {
    if (!stream.closed.aborted) throw thrown;
  } finally {
    logs.destroy();
  }
}

/** @throws invalid_request */
function placeToResume(headers: IncomingHttpHeaders): { after?: string } {
  const text = headers['last-event-id'];
  if (text === undefined || text === '') return {};
  const place = logPlace.safeParse(text);
  if (place.success) return { after: place.data };
  throw new NexusError('invalid_request', {
    fields: [{ path: 'Last-Event-ID', problem: 'must be the id of a line' }],
  });
}

/** A connection that broke off on its way says so in the words of the operating system. */
function asStreamFailure(thrown: unknown): NexusError {
  if (thrown instanceof NexusError) return thrown;
  return new NexusError('stream_failed', { reason: 'it broke off' }, { cause: thrown });
}

/** @throws not_found when it is neither a service of the workspace nor a hook */
async function checkSource(db: Db, workspaceId: string, source: string): Promise<void> {
  const names = [...(await listServices(db, workspaceId)).map(({ name }) => name), ...hookNames];
  if (!names.includes(source))
    throw new NexusError('not_found', {
      kind: 'service',
      name: source,
      workspace: workspaceId,
      nearest: nearest(source, names),
    });
}
