/**
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html). Whoever sends waits for a slow
 * client, so nothing piles up here, and not for ever.
 */
import { once } from 'node:events';
import type { FastifyReply } from 'fastify';
import type { HandlerDeps } from './app-deps.ts';

const defaultHeartbeatMs = 15_000;
/** A client that takes nothing for so many heartbeats is cut off; what it missed it can ask for. */
const mostMissed = 4;

export type EventStream = {
  /** Aborted when the client is gone or the server stops. */
  readonly closed: AbortSignal;
  /** Resolves when the client can take more. */
  send(message: { id?: number | string; event?: string; data: string }): Promise<void>;
  end(): void;
};

/** Takes the reply over. A comment now and then keeps proxies and clients from giving a quiet stream up. */
export function openEventStream(
  reply: FastifyReply,
  { closing, heartbeatMs = defaultHeartbeatMs }: Pick<HandlerDeps, 'closing' | 'heartbeatMs'>,
): EventStream {
  reply.hijack();
  const { raw } = reply;
  const headers = reply.getHeaders() as Record<string, string>;
  raw.writeHead(200, {
    ...headers,
    'content-type': 'text/event-stream; charset=utf-8',
    'cache-control': 'no-store',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  const gone = new AbortController();
  const closed = AbortSignal.any([gone.signal, closing]);
  let missed = 0;
  const heartbeat = setInterval(() => {
    missed = raw.writableNeedDrain ? missed + 1 : 0;
    if (missed === 0) raw.write(':\n\n');
    else if (missed >= mostMissed) raw.destroy();
  }, heartbeatMs);
  raw.on('drain', () => (missed = 0));
  raw.once('close', () => {
    clearInterval(heartbeat);
    gone.abort();
  });
  closed.addEventListener('abort', () => raw.end(), { once: true });
  return {
    closed,
    async send({ id, event, data }) {
      if (closed.aborted) return;
      const lines = data.split(/\r\n|\n|\r/).map((line) => `data: ${line}\n`);
      const head = `${id === undefined ? '' : `id: ${id}\n`}${event === undefined ? '' : `event: ${event}\n`}`;
      if (raw.write(`${head}${lines.join('')}\n`)) return;
      await once(raw, 'drain', { signal: closed }).catch(() => undefined);
    },
    end: () => raw.end(),
  };
}
