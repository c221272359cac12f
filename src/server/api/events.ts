/** The events of a workspace, from the log that they are written to: a client that comes back misses nothing. */
import { once } from 'node:events';
import type { IncomingHttpHeaders } from 'node:http';
import { NexusError } from '../../contract/errors.ts';
import { eventsAfter, lastEventId } from '../store/events.ts';
import type { Store } from '../store/store.ts';
import type { HandlerDeps } from './app-deps.ts';
import { openEventStream } from './event-stream.ts';
import type { EventStream } from './event-stream.ts';
import { findOwnWorkspace } from './find-workspace.ts';
import type { Handler } from './handler.ts';

const batch = 100;

export function eventsHandler(deps: Pick<HandlerDeps, 'store' | 'closing' | 'heartbeatMs'>): Handler<'getEvents'> {
  const { store } = deps;
  return async ({ params, query, caller, request, reply }) => {
    const { id } = await findOwnWorkspace(store.db, caller, params.id);
    const after = resumeAfter(request.headers) ?? query.last_event_id ?? (await lastEventId(store.db, id));
    await sendEvents(store, openEventStream(reply, deps), { workspaceId: id, after });
  };
}

async function sendEvents(
  store: Store,
  stream: EventStream,
  start: { workspaceId: string; after: number },
): Promise<void> {
  const { workspaceId } = start;
  const news = new EventTarget();
  // Noted even while a batch is being sent: what was committed meanwhile is read next.
  let unread = true;
  using _subscription = subscription(
    store.onEvent((event) => {
      if (event.workspace_id !== workspaceId) return;
      unread = true;
      news.dispatchEvent(new Event('news'));
    }),
  );
  let after = start.after;
  while (!stream.closed.aborted) {
    if (!unread) {
      await once(news, 'news', { signal: stream.closed }).catch(() => undefined);
      continue;
    }
    unread = false;
    const events = await eventsAfter(store.db, { workspaceId, after, limit: batch });
    unread ||= events.length === batch;
    for (const event of events) {
      await stream.send({ id: event.id, event: event.type, data: JSON.stringify(event) });
      after = event.id;
      if (event.type === 'deleted') return stream.end();
    }
  }
}

function subscription(end: () => void): Disposable {
  return { [Symbol.dispose]: end };
}

function resumeAfter(headers: IncomingHttpHeaders): number | undefined {
  const text = headers['last-event-id'];
  if (text === undefined || text === '') return undefined;
  if (typeof text === 'string' && /^\d{1,15}$/.test(text)) return Number(text);
  throw new NexusError('invalid_request', {
    fields: [{ path: 'Last-Event-ID', problem: 'must be the id of an event' }],
  });
}
