/** HTTP/1.1 by hand, so that what is sent may be as broken as one likes. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setImmediate } from 'node:timers/promises';

export type Answer = {
  readonly status: number;
  /** Names in small letters. */
  readonly headers: ReadonlyMap<string, string>;
  /** Empty when it is not waited for. */
  readonly body: Buffer;
};

/** Bytes as they are written, each piece for itself. */
export type Exchange = {
  readonly pieces: readonly Buffer[];
  /** Nothing more comes from us: the sending side is closed. */
  readonly isEnd: boolean;
  readonly method: string;
  readonly answers: number;
  /** The connection is wanted when it has become a WebSocket's. */
  readonly keepsSocket?: boolean;
};

/** `late`: not all answers came in time. `closed`: the server ended the connection before they did. */
export type Outcome = {
  readonly answers: readonly Answer[];
  readonly ending: 'complete' | 'closed' | 'late';
  readonly milliseconds: number;
};

export class Connection {
  private readonly socket: Socket;
  private received: Buffer = Buffer.alloc(0);
  private isClosed = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => undefined);
    socket.on('close', () => (this.isClosed = true));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const connection = new Connection(socket);
    await once(socket, 'connect');
    return connection;
  }

  /** Whether another request may follow. */
  get isUsable(): boolean {
    return !this.isClosed && this.socket.writable && this.received.length === 0;
  }

  async exchange(
    { pieces, isEnd, method, answers: wanted, keepsSocket }: Exchange,
    withinMs: number,
  ): Promise<Outcome> {
    const start = performance.now();
    const answers: Answer[] = [];
    const { promise: ended, resolve } = Promise.withResolvers<Outcome['ending']>();
    const isComplete = (): boolean => answers.length === wanted || answers.some(({ headers }) => isLong(headers));
    const onData = (chunk: Buffer): void => {
      if (isComplete()) return;
      this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk]);
      this.takeAnswers(answers, method, { isComplete, isClosed: false });
      if (isComplete()) resolve('complete');
    };
    const onClose = (): void => {
      this.takeAnswers(answers, method, { isComplete, isClosed: true });
      resolve(isComplete() ? 'complete' : 'closed');
    };
    const timer = setTimeout(resolve, withinMs, 'late');
    this.socket.on('data', onData).once('close', onClose);
    if (this.isClosed) onClose();
    void this.write(pieces, isEnd);
    const ending = await ended;
    clearTimeout(timer);
    this.socket.off('data', onData).off('close', onClose);
    const last = answers.at(-1);
    const isKept = keepsSocket && last?.status === 101;
    if (!isKept && (ending !== 'complete' || isEnd || !last || endsConnection(last))) this.destroy();
    return { answers, ending, milliseconds: performance.now() - start };
  }

  /** Sends what it is given, and ends its side; what comes back is not looked at. */
  async converse(pieces: readonly Buffer[], withinMs: number): Promise<'closed' | 'late'> {
    const { promise: ended, resolve } = Promise.withResolvers<'closed' | 'late'>();
    const timer = setTimeout(resolve, withinMs, 'late');
    this.socket.once('close', () => resolve('closed')).resume();
    if (this.isClosed) resolve('closed');
    await this.write(pieces, true);
    return ended.finally(() => clearTimeout(timer));
  }

  private async write(pieces: readonly Buffer[], isEnd: boolean): Promise<void> {
    for (const [index, piece] of pieces.entries()) {
      if (!this.socket.writable) return;
      if (index > 0) await setImmediate();
      this.socket.write(piece);
    }
    if (isEnd) this.socket.end();
  }

  private takeAnswers(answers: Answer[], method: string, at: { isComplete: () => boolean; isClosed: boolean }): void {
    while (!at.isComplete()) {
      const parsed = parseAnswer(this.received, { method, isClosed: at.isClosed });
      if (!parsed) return;
      this.received = this.received.subarray(parsed.length);
      if (parsed.answer.status >= 200 || parsed.answer.status === 101) answers.push(parsed.answer);
    }
  }

  destroy(): void {
    this.isClosed = true;
    this.socket.destroy();
  }
}

/** A WebSocket speaks another protocol. */
function endsConnection({ status, headers }: Answer): boolean {
  return status === 101 || headers.get('connection') === 'close' || isLong(headers);
}

const longBodyBytes = 2 ** 22;

/** A stream of events has no end, and a download takes its time: their beginning is enough. */
function isLong(headers: ReadonlyMap<string, string>): boolean {
  const isEventStream = headers.get('content-type')?.startsWith('text/event-stream') ?? false;
  return isEventStream || Number(headers.get('content-length') ?? 0) > longBodyBytes;
}

type Parsed = { readonly answer: Answer; readonly length: number };

function parseAnswer(bytes: Buffer, { method, isClosed }: { method: string; isClosed: boolean }): Parsed | null {
  const headEnd = bytes.indexOf('\r\n\r\n');
  if (headEnd < 0) return null;
  const [statusLine = '', ...lines] = bytes.toString('latin1', 0, headEnd).split('\r\n');
  const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1] ?? NaN);
  if (Number.isNaN(status)) throw new Error(`not an HTTP answer: ${JSON.stringify(statusLine)}`);
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
  const start = headEnd + 4;
  const done = (body: Buffer, length: number): Parsed => ({ answer: { status, headers, body }, length });
  const hasNoBody = method === 'HEAD' || status < 200 || status === 204 || status === 304;
  if (hasNoBody || isLong(headers)) return done(Buffer.alloc(0), start);
  if (headers.get('transfer-encoding')?.toLowerCase() === 'chunked') {
    const chunked = parseChunks(bytes, start);
    return chunked && done(chunked.body, chunked.end);
  }
  const length = headers.get('content-length');
  if (length === undefined) return isClosed ? done(bytes.subarray(start), bytes.length) : null;
  const end = start + Number(length);
  return bytes.length < end ? null : done(Buffer.from(bytes.subarray(start, end)), end);
}

function parseChunks(bytes: Buffer, start: number): { body: Buffer; end: number } | null {
  const chunks: Buffer[] = [];
  for (let at = start; ;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    if (lineEnd < 0) return null;
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (Number.isNaN(size)) throw new Error('a broken chunk in an answer');
    if (bytes.length < next) return null;
    if (size === 0) return { body: Buffer.concat(chunks), end: next };
    chunks.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = next;
  }
}
