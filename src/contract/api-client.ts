/**
 * The typed client of the HTTP API, made from the table of endpoints. Every failure is a `NexusError` in the server's
 * words, or `ServerUnreachable` when no Nexus server answered; an aborted `signal` rejects with its own reason.
 */
import type { WebSocket } from 'ws';
import type { z } from 'zod';
import { apiBase, endpoints } from './api.ts';
import type { Endpoint, EndpointName } from './api.ts';
import { NexusError, fromBody } from './errors.ts';
import { errorBody, workspaceEvent } from './workspace.ts';
import { openSocket } from './open-socket.ts';
import type { WorkspaceEvent } from './workspace.ts';
import { whyNoAnswer } from '../lib/why-no-answer.ts';
import { watchSilence } from './watch-silence.ts';

/** No Nexus server answered at this address: no connection, one that broke, or something else that listens there. */
export class ServerUnreachable extends Error {
  readonly baseUrl: string;
  /** For people, e.g. `the connection was refused`. */
  readonly reason: string;

  constructor(baseUrl: string, reason: string, options?: { cause?: unknown }) {
    super(`The Nexus server at ${baseUrl} cannot be reached: ${reason}.`, options);
    this.name = 'ServerUnreachable';
    this.baseUrl = baseUrl;
    this.reason = reason;
  }
}

type Table = typeof endpoints;
type InputOf<N extends EndpointName, K extends 'params' | 'query' | 'body'> =
  Table[N] extends Record<K, infer S> ? (S extends z.ZodType ? z.input<S> : never) : never;
/** A part that the endpoint lacks may not be given; one that takes `{}` or nothing may be left out. */
type Part<N extends EndpointName, K extends 'params' | 'query' | 'body'> = [InputOf<N, K>] extends [never]
  ? { [P in K]?: never }
  : Partial<InputOf<N, K>> extends InputOf<N, K>
    ? { [P in K]?: InputOf<N, K> }
    : undefined extends InputOf<N, K>
      ? { [P in K]?: InputOf<N, K> }
      : { [P in K]: InputOf<N, K> };

type CommonOptions = { headers?: Readonly<Record<string, string>>; signal?: AbortSignal | undefined };
export type CallOptions<N extends EndpointName> = Part<N, 'params'> &
  Part<N, 'query'> &
  Part<N, 'body'> &
  CommonOptions;
type CallArguments<N extends EndpointName> =
  Partial<CallOptions<N>> extends CallOptions<N> ? [options?: CallOptions<N>] : [options: CallOptions<N>];
export type ResponseOf<N extends EndpointName> = Table[N]['response'] extends z.ZodType
  ? z.output<Table[N]['response']>
  : void;

type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export type Client = {
  readonly baseUrl: string;
  /** One request and its JSON answer. `getLogs`, `getEvents` and `putSource` have methods of their own below; what installs is not for it. */
  call<N extends Exclude<EndpointName, 'getLogs' | 'getEvents' | 'putSource' | 'getInstallScript' | 'getDownload'>>(
    name: N,
    ...options: CallArguments<N>
  ): Promise<ResponseOf<N>>;
  /** Events after `lastEventId` (0: all that are kept; absent: from now on) until the server ends the stream. */
  events(workspaceId: string, options?: { lastEventId?: number; signal?: AbortSignal }): AsyncIterable<WorkspaceEvent>;
  /** Lines of the logs without their ends. */
  logs(
    workspaceId: string,
    options?: { service?: string; lines?: number; signal?: AbortSignal },
  ): AsyncIterable<string>;
  /** The same and every new line, until the server ends it. `lastEventId`: only what came after the line of that id. */
  followLogs(
    workspaceId: string,
    options?: {
      service?: string;
      lines?: number;
      lastEventId?: string;
      signal?: AbortSignal;
      /** Told when the server has begun to answer, which may be long before the first line. */
      onOpen?: () => void;
    },
  ): AsyncIterable<LogLine>;
  /** Sends the repository of a workspace whose `repo.source` is `upload`, as a git bundle. */
  putSource(
    workspaceId: string,
    bundle: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>,
    options?: { signal?: AbortSignal },
  ): Promise<void>;
  /**
   * An open WebSocket at a path below `/api/v1`; arrays in the query repeat the name. Failures of what is behind it
   * come as a text message with an error body, then a close: see `webSockets` in api.ts.
   */
  openWebSocket(path: string, query?: Query, options?: { signal?: AbortSignal }): Promise<WebSocket>;
};

/** `id` is null where the node or the server is too old to give lines any. */
export type LogLine = { readonly line: string; readonly id: string | null };

/** `baseUrl` as `http://host:port`; `token` null for the endpoints that need none. */
export type ClientOptions = {
  baseUrl: string;
  token: string | null;
  fetch?: typeof globalThis.fetch;
  /** A stream of events that is silent for so long is given up: its server sends a sign of life every 15 s. */
  silentMs?: number;
};

const defaultSilentMs = 60_000;

export function createClient(options: ClientOptions): Client {
  const { baseUrl, authorization, request, eventStream, reading } = createTransport(options);
  const events = { accept: 'text/event-stream' };

  return {
    baseUrl,
    async call(name, ...[parts]) {
      const endpoint: Endpoint = endpoints[name];
      const response = await request(endpoint, { accept: 'application/json', ...(parts as Partial<RequestParts>) });
      if (endpoint.response !== null)
        return reading(parts?.signal, async () => (await jsonOf(baseUrl, response)) as ResponseOf<typeof name>);
      await response.body?.cancel();
      return undefined as ResponseOf<typeof name>;
    },
    async *events(id, { lastEventId, signal } = {}) {
      const query = lastEventId === undefined ? {} : { last_event_id: lastEventId };
      for await (const { data } of eventStream(endpoints.getEvents, { ...events, params: { id }, query, signal })) {
        const event = workspaceEvent.safeParse(JSON.parse(data));
        // Of a kind that only a newer server knows.
        if (event.success) yield event.data;
      }
    },
    async *followLogs(id, { service, lines, lastEventId, signal, onOpen } = {}) {
      const query = { service, lines, follow: true };
      const headers = lastEventId === undefined ? {} : { 'last-event-id': lastEventId };
      const parts = { ...events, params: { id }, query, headers, signal };
      for await (const message of eventStream(endpoints.getLogs, parts, onOpen))
        yield { line: message.data, id: message.id ?? null };
    },
    async *logs(id, { service, lines, signal } = {}) {
      const parts = { params: { id }, query: { service, lines }, signal };
      const response = await request(endpoints.getLogs, { accept: 'text/plain', ...parts });
      const text = await reading(signal, () => response.text());
      if (text !== '') yield* text.replace(/\n$/, '').split('\n');
    },
    async putSource(id, bytes, { signal } = {}) {
      const parts = { accept: 'application/json', params: { id }, bytes, signal };
      await (await request(endpoints.putSource, parts)).body?.cancel();
    },
    openWebSocket(path, query = {}, { signal } = {}) {
      return openSocket(urlOf(baseUrl, path, query).replace(/^http/, 'ws'), {
        authorization,
        signal,
        unreachable: (cause) => new ServerUnreachable(baseUrl, whyNoAnswer(cause), { cause }),
        refused: (answer) => errorOf(baseUrl, answer),
      });
    },
  };
}

type Transport = {
  readonly baseUrl: string;
  readonly authorization: Record<string, string>;
  /** A successful response, its body unread. */
  readonly request: (endpoint: Endpoint, parts: RequestParts) => Promise<Response>;
  /** Server-sent events; one called `error` is thrown. */
  readonly eventStream: (
    endpoint: Endpoint,
    parts: RequestParts,
    onOpen?: () => void,
  ) => AsyncGenerator<{ data: string; id?: string | undefined }>;
  /** A body, or why it did not arrive. */
  readonly reading: <T>(signal: AbortSignal | undefined, read: () => Promise<T>) => Promise<T>;
};

function createTransport(options: ClientOptions): Transport {
  const baseUrl = options.baseUrl.replace(/\/+$/, '');
  const send = options.fetch ?? globalThis.fetch;
  const authorization: Record<string, string> =
    options.token === null ? {} : { authorization: `Bearer ${options.token}` };

  function named(thrown: unknown, signal: AbortSignal | undefined): Error {
    if (signal?.aborted) return signal.reason as Error;
    const ours = thrown instanceof NexusError || thrown instanceof ServerUnreachable;
    return ours ? thrown : new ServerUnreachable(baseUrl, whyNoAnswer(thrown), { cause: thrown });
  }
  async function reading<T>(signal: AbortSignal | undefined, read: () => Promise<T>): Promise<T> {
    return read().catch((thrown: unknown) => {
      throw named(thrown, signal);
    });
  }
  async function request(endpoint: Endpoint, parts: RequestParts): Promise<Response> {
    const url = urlOf(baseUrl, pathOf(endpoint.path, parts.params ?? {}), parts.query ?? {});
    const { body, contentType } = bodyOf(parts);
    const headers = { accept: parts.accept, ...authorization, ...contentType, ...parts.headers };
    const signal = parts.signal ? { signal: parts.signal } : {};
    const init = { method: endpoint.method, headers, ...body, ...signal };
    const response = await reading(parts.signal, () => send(url, init));
    if (!response.ok) throw await reading(parts.signal, () => errorOf(baseUrl, response));
    return response;
  }
  const eventStream: Transport['eventStream'] = async function* (endpoint, parts, onOpen) {
    using silence = watchSilence(options.silentMs ?? defaultSilentMs);
    const signals = parts.signal === undefined ? [silence.signal] : [parts.signal, silence.signal];
    const watched = { ...parts, signal: AbortSignal.any(signals) };
    try {
      // Loaded when needed, as few commands follow anything.
      const [response, { EventSourceParserStream }] = await Promise.all([
        request(endpoint, watched),
        import('eventsource-parser/stream'),
      ]);
      onOpen?.();
      const messages = requireBody(response)
        .pipeThrough(silence.listen())
        .pipeThrough(new TextDecoderStream() as unknown as ReadableWritablePair<string, Uint8Array>)
        .pipeThrough(new EventSourceParserStream());
      for await (const message of messages) {
        if (message.event === 'error') throw fromBody(errorBody.parse(JSON.parse(message.data)));
        yield message;
      }
    } catch (thrown) {
      throw named(silence.signal.aborted ? silence.signal.reason : thrown, parts.signal);
    }
  };
  return { baseUrl, authorization, request, eventStream, reading };
}

type RequestParts = {
  accept: string;
  params?: Readonly<Record<string, string>>;
  query?: Query;
  body?: unknown;
  bytes?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  headers?: Readonly<Record<string, string>>;
  signal?: AbortSignal | undefined;
};

/** `/workspaces/:id` with its parameters filled in. */
export function pathOf(path: string, params: Readonly<Record<string, string>>): string {
  return path.replaceAll(/:(\w+)/g, (_, name: string) => encodeURIComponent(params[name] ?? ''));
}

function urlOf(baseUrl: string, path: string, query: Query): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    for (const one of Array.isArray(value) ? value : [value]) if (one !== undefined) search.append(name, String(one));
  }
  return `${baseUrl}${apiBase}${path}${search.size > 0 ? `?${search.toString()}` : ''}`;
}

function bodyOf({ body, bytes }: RequestParts): { body: object; contentType: Record<string, string> } {
  // Fetch takes a stream as a body only in half-duplex.
  if (bytes !== undefined)
    return { body: { body: bytes, duplex: 'half' }, contentType: { 'content-type': 'application/octet-stream' } };
  if (body === undefined) return { body: {}, contentType: {} };
  return { body: { body: JSON.stringify(body) }, contentType: { 'content-type': 'application/json' } };
}

function requireBody(response: Response): ReadableStream<Uint8Array<ArrayBuffer>> {
  if (response.body === null) throw new TypeError('the answer has no body');
  return response.body;
}

async function jsonOf(baseUrl: string, response: Response): Promise<unknown> {
  const type = response.headers.get('content-type') ?? 'nothing';
  if (type.includes('json')) return response.json();
  await response.body?.cancel();
  throw new ServerUnreachable(baseUrl, `it answered ${response.status} with ${type}, so it is not a Nexus server`);
}

async function errorOf(baseUrl: string, response: Response): Promise<Error> {
  const parsed = errorBody.safeParse(await jsonOf(baseUrl, response));
  if (parsed.success) return fromBody(parsed.data);
  return new ServerUnreachable(
    baseUrl,
    `it answered ${response.status} without saying why, so it is not a Nexus server`,
  );
}
