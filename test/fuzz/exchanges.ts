/** Drafts as bytes, and bytes that are no request at all. */
import * as fc from 'fast-check';
import { secretMark } from './hostile-values.ts';
import type { Delivery, Draft } from './request-drafts.ts';
import type { Exchange } from './wire.ts';

/** `mayClose`: a server may also end the connection without a word, as nothing whole was asked. */
export type Sendable = Exchange & { readonly mayClose: boolean };

export type Known = { readonly token: string; readonly workspaces: readonly string[] };

const noSuchWorkspace = 'ws-000000000000';

export function sendable(draft: Draft, known: Known): Sendable {
  const fill = (text: string): string =>
    text
      .replaceAll('~token~', known.token)
      .replaceAll(
        /~ws(\d+)~/g,
        (_, index: string) => known.workspaces[Number(index) % known.workspaces.length] ?? noSuchWorkspace,
      );
  const body = draft.body && Buffer.from(fill(draft.body.toString('latin1')), 'latin1');
  const head = (framing: readonly string[]): Buffer => {
    const lines = draft.headers.map(([name, value]) => `${name}: ${fill(value)}`);
    return Buffer.from(
      [`${draft.method} ${fill(draft.target)} HTTP/1.1`, ...lines, ...framing, '', ''].join('\r\n'),
      'latin1',
    );
  };
  return { method: draft.method, ...delivered(draft.delivery, head, body) };
}

type Delivered = Omit<Sendable, 'method'>;

function delivered(delivery: Delivery, head: (framing: readonly string[]) => Buffer, body: Buffer | null): Delivered {
  const length = (bytes: number): string[] => [`Content-Length: ${bytes}`];
  const content = body ?? Buffer.alloc(0);
  const whole = Buffer.concat([head(body === null ? [] : length(content.length)), content]);
  // What comes after a head that is too long is not read, and the answer may be lost with it.
  const plain = { isEnd: false, answers: 1, mayClose: head([]).length > longestHeadBytes };
  switch (delivery) {
    case 'whole':
      return { ...plain, pieces: [whole] };
    case 'pieces':
      return { ...plain, pieces: inPieces(whole) };
    case 'twice':
      return { ...plain, pieces: [Buffer.concat([whole, whole])], answers: 2 };
    case 'chunked': {
      const chunks = inPieces(content).map((piece) =>
        Buffer.concat([Buffer.from(`${piece.length.toString(16)};x=1\r\n`), piece, Buffer.from('\r\n')]),
      );
      return {
        ...plain,
        pieces: [head(['Transfer-Encoding: chunked']), ...chunks, Buffer.from('0\r\nX-Trailer: 1\r\n\r\n')],
      };
    }
    case 'truncated':
      return { pieces: [head(length(content.length + 10)), content], isEnd: true, answers: 1, mayClose: true };
    case 'overrun':
      return { pieces: [head(length(content.length >> 1)), content], isEnd: true, answers: 1, mayClose: true };
    case 'bad_chunks':
      return {
        pieces: [head(['Transfer-Encoding: chunked']), Buffer.from('zz\r\n'), content],
        isEnd: true,
        answers: 1,
        mayClose: true,
      };
  }
}

const longestHeadBytes = 16_000;
const mostPieces = 40;

function inPieces(bytes: Buffer): Buffer[] {
  const size = Math.max(1, Math.ceil(bytes.length / mostPieces));
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

const brokenTexts = [
  'GET\r\n\r\n',
  'GET /health\r\n\r\n',
  'GET /health HTTP/1.1\r\n\r\n',
  'GET /health HTTP/9.9\r\nHost: x\r\n\r\n',
  'GET /health HTTP/1.0\r\n\r\n',
  'get /health HTTP/1.1\r\nHost: x\r\n\r\n',
  'FOO /health HTTP/1.1\r\nHost: x\r\n\r\n',
  'CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n',
  'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  'SSH-2.0-OpenSSH_9.9\r\n',
  '\u0016\u0003\u0001\u0002\u0000\u0001',
  'GET  /health HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /he\0alth HTTP/1.1\r\nHost: x\r\n\r\n',
  'GET /health HTTP/1.1\nHost: x\n\n',
  'GET /health HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n',
  'GET /health HTTP/1.1\r\nHost : x\r\n\r\n',
  'GET /health HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n',
  'GET /health HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n',
  'GET /health HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n',
  `GET /health HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(100_000)}\r\n\r\n`,
  `GET /health HTTP/1.1\r\nHost: x\r\n${'X: y\r\n'.repeat(5_000)}\r\n`,
  `GET /${'x'.repeat(100_000)} HTTP/1.1\r\nHost: x\r\n\r\n`,
  'POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n',
  'POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx',
  'POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n',
  'POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
  'POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n',
  `POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${secretMark}-broken\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n`,
];

/** Each ends the connection's sending side, so that whoever reads knows that no more comes. */
export function brokenExchanges(requests: fc.Arbitrary<Sendable>): fc.Arbitrary<Sendable> {
  const broken = (bytes: Buffer): Sendable => ({
    pieces: [bytes],
    method: 'GET',
    isEnd: true,
    answers: 1,
    mayClose: true,
  });
  const flipped = fc.tuple(requests, fc.nat(), fc.integer({ min: 1, max: 255 })).map(([{ pieces }, at, change]) => {
    const bytes = Buffer.concat([...pieces]).subarray(0, 20_000);
    const copy = Buffer.from(bytes);
    const place = at % Math.max(1, Math.min(copy.length, 300));
    copy[place] = (copy[place] ?? 0) ^ change;
    return broken(copy);
  });
  return fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom(...brokenTexts).map((text) => broken(Buffer.from(text, 'latin1'))) },
    {
      weight: 1,
      arbitrary: fc.uint8Array({ minLength: 1, maxLength: 400 }).map((bytes) => broken(Buffer.from(bytes))),
    },
    { weight: 3, arbitrary: flipped },
  );
}
