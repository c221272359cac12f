import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { WebSocket } from 'ws';
import { z } from 'zod';
import { EngineFailure, engineUnreachable } from './engine-failure.ts';

/**
 * The REST API of LXD and Incus on its unix socket: one connection a request (a connect costs 0.1 ms there), every
 * request with a deadline, background operations waited for. What the engine refuses is an `EngineFailure`, a
 * socket that does not answer `provider_unavailable`.
 */
export type EngineClient = {
  readonly socketPath: string;
  /** Project that every request is made in. */
  readonly project: string;
  get<T>(path: string, schema: z.ZodType<T>, options?: RequestOptions): Promise<T>;
  /** A change that is done when the answer is there. */
  change(method: Method, path: string, body?: unknown, options?: RequestOptions): Promise<void>;
  /** A change that goes on in the background: waits until it is done. */
  operate(method: Method, path: string, body: unknown, options: OperateOptions): Promise<Operation>;
  /** Starts a background operation and does not wait for it. */
  begin(method: Method, path: string, body: unknown, options?: RequestOptions): Promise<Operation>;
  waitFor(operationId: string, options: { timeoutMs: number; signal?: AbortSignal | undefined }): Promise<Operation>;
  /** The raw answer, for content. The caller reads it to its end. */
  download(path: string, options?: RequestOptions): Promise<IncomingMessage>;
  upload(path: string, content: Readable | Buffer, options: UploadOptions): Promise<Operation | null>;
  websocket(operationId: string, secret: string): WebSocket;
};

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export type RequestOptions = {
  readonly query?: Readonly<Record<string, string>>;
  /** Until the answer is there. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal | undefined;
};

export type OperateOptions = RequestOptions & { readonly timeoutMs: number };

/** `timeoutMs` counts from the last byte that moved, for content may be of any size. */
export type UploadOptions = RequestOptions & { readonly headers: Readonly<Record<string, string>> };

const operationSchema = z.object({
  id: z.string(),
  status_code: z.number(),
  err: z.string(),
  resources: z.record(z.string(), z.array(z.string())).nullable(),
  metadata: z.record(z.string(), z.unknown()).nullable(),
});
export type Operation = z.infer<typeof operationSchema>;

const replySchema = z.object({
  type: z.string(),
  error: z.string().optional(),
  error_code: z.number().optional(),
  metadata: z.unknown(),
});

const requestTimeoutMs = 30_000;
const operationSucceeded = 200;
/** One wait is not longer than this; it is asked again until the caller's deadline. */
const longestWaitSeconds = 600;

/** @param options.socketPath a function is asked at every request: the engine may come later than its client */
export function createEngineClient(options: { socketPath: string | (() => string); project: string }): EngineClient {
  const { project } = options;
  const socketPath = (): string => (typeof options.socketPath === 'string' ? options.socketPath : options.socketPath());
  const connection = (): Connection => ({ socketPath: socketPath(), project });

  async function json(method: Method, path: string, body: unknown, options: RequestOptions = {}): Promise<unknown> {
    const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
    const headers = payload ? { 'content-type': 'application/json' } : {};
    const to = connection();
    const response = await send(to, { method, path, payload, headers, ...options });
    return readReply(response, { ...to, ...options });
  }

  async function begin(method: Method, path: string, body: unknown, options?: RequestOptions): Promise<Operation> {
    return operationSchema.parse(await json(method, path, body, options));
  }

  const waitFor: EngineClient['waitFor'] = (operationId, { timeoutMs, signal }) =>
    waitUntilDone(timeoutMs, async (seconds) => {
      const query = { timeout: String(seconds) };
      const options = { query, timeoutMs: (seconds + 5) * 1000, signal };
      return operationSchema.parse(await json('GET', `/1.0/operations/${operationId}/wait`, undefined, options));
    });

  return {
    get socketPath() {
      return socketPath();
    },
    project,
    begin,
    waitFor,
    async get(path, schema, options) {
      return schema.parse(await json('GET', path, undefined, options));
    },
    async change(method, path, body, options) {
      await json(method, path, body, options);
    },
    async operate(method, path, body, { timeoutMs, signal, ...rest }) {
      const operation = await begin(method, path, body, { ...rest, signal });
      return waitFor(operation.id, { timeoutMs, signal });
    },
    async download(path, options) {
      const to = connection();
      const response = await send(to, { method: 'GET', path, payload: undefined, headers: {}, ...options });
      if (response.statusCode !== 200) await readReply(response, { ...to, ...options });
      return response;
    },
    async upload(path, content, options) {
      const to = connection();
      const response = await send(to, { method: 'POST', path, payload: content, ...options });
      return operationSchema.safeParse(await readReply(response, { ...to, ...options })).data ?? null;
    },
    websocket(operationId, secret) {
      const url = `ws+unix://${socketPath()}:/1.0/operations/${operationId}/websocket?secret=${secret}`;
      return new WebSocket(url, { perMessageDeflate: false });
    },
  };
}

/** @param wait waits for so many seconds at most, and tells how the operation is then */
async function waitUntilDone(timeoutMs: number, wait: (seconds: number) => Promise<Operation>): Promise<Operation> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const leftMs = deadline - performance.now();
    if (leftMs <= 0) throw new EngineFailure({ status: 0, message: `it was not done in ${timeoutMs / 1000} s` });
    const operation = await wait(Math.min(Math.ceil(leftMs / 1000), longestWaitSeconds));
    if (operation.status_code === operationSucceeded) return operation;
    if (operation.status_code > operationSucceeded)
      throw new EngineFailure({ status: operation.status_code, message: operation.err });
  }
}

type Outgoing = RequestOptions & {
  readonly method: Method;
  readonly path: string;
  readonly payload: Readable | Buffer | undefined;
  readonly headers: Readonly<Record<string, string>>;
};

type Connection = { readonly socketPath: string; readonly project: string };

function send(to: Connection, outgoing: Outgoing): Promise<IncomingMessage> {
  const { method, path, payload, headers, query = {}, timeoutMs = requestTimeoutMs, signal } = outgoing;
  const search = new URLSearchParams({ project: to.project, ...query });
  return new Promise((resolve, reject) => {
    const length = Buffer.isBuffer(payload) ? { 'content-length': String(payload.length) } : {};
    const request = httpRequest({
      socketPath: to.socketPath,
      method,
      path: `${path}?${search.toString()}`,
      headers: { host: 'engine', ...length, ...headers },
      agent: false,
      ...(signal ? { signal } : {}),
    });
    const deadline = setTimeout(() => {
      request.destroy(new Error(`no answer to ${method} ${path} in ${timeoutMs / 1000} s`));
    }, timeoutMs);
    request.on('response', (response) => {
      clearTimeout(deadline);
      resolve(response);
    });
    request.on('error', (error) => {
      clearTimeout(deadline);
      reject(signal?.aborted ? error : engineUnreachable(to.socketPath, error));
    });
    if (payload === undefined || Buffer.isBuffer(payload)) {
      request.end(payload);
      return;
    }
    payload.on('data', () => deadline.refresh());
    payload.on('error', (error) => request.destroy(error));
    payload.pipe(request);
  });
}

/** An engine that dies in the middle of its answer, or stops there, is one that does not answer. */
async function readReply(
  response: IncomingMessage,
  { socketPath, timeoutMs = requestTimeoutMs, signal }: RequestOptions & Connection,
): Promise<unknown> {
  const late = new Error(`no end of an answer in ${timeoutMs / 1000} s`);
  const deadline = setTimeout(() => response.destroy(late), timeoutMs);
  const text = await readText(response)
    .catch((error: unknown) => {
      throw signal?.aborted ? error : engineUnreachable(socketPath, error);
    })
    .finally(() => clearTimeout(deadline));
  const reply = replySchema.safeParse(parseJson(text));
  if (!reply.success) throw new EngineFailure({ status: response.statusCode ?? 0, message: text.slice(0, 500) });
  if (reply.data.type === 'error')
    throw new EngineFailure({ status: reply.data.error_code ?? 0, message: reply.data.error ?? 'unknown' });
  return reply.data.metadata;
}

async function readText(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
