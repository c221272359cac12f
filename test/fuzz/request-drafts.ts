/** Requests to the operations of an API document: right ones, nearly right ones, and broken ones. */
import * as fc from 'fast-check';
import type { Operation, Parameter } from './api-document.ts';
import { brokenJson, hostileText, hostileValue, secretMark } from './hostile-values.ts';
import { allowedValue, named, nearlyAllowedValue, type Vocabulary } from './schema-values.ts';

type Header = readonly [name: string, value: string];

/** How the bytes of a request come: all but the first few are wrong on purpose. */
export const deliveries = ['whole', 'chunked', 'pieces', 'twice', 'truncated', 'overrun', 'bad_chunks'] as const;
export type Delivery = (typeof deliveries)[number];

/** `~ws3~` in target and body stands for one of the workspaces that are there when it is sent, `~token~` for the token. */
export type Draft = {
  /** Null: no operation of the document is meant. */
  readonly operation: Operation | null;
  readonly method: string;
  readonly target: string;
  readonly headers: readonly Header[];
  readonly body: Buffer | null;
  readonly delivery: Delivery;
};

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'QUERY'];

export function drafts(operations: readonly Operation[], words: Vocabulary): fc.Arbitrary<Draft> {
  const meant = anyOperation(
    operations.filter(({ isSocket }) => !isSocket),
    words,
  );
  const sockets = socketDrafts(operations, words);
  return fc.oneof(
    { weight: 12, arbitrary: meant },
    { weight: 2, arbitrary: meant.chain(misdelivered) },
    { weight: 2, arbitrary: meant.chain(misaddressed) },
    { weight: 1, arbitrary: sockets },
    { weight: 1, arbitrary: strayDraft },
  );
}

/** As plain requests. */
export function socketDrafts(operations: readonly Operation[], words: Vocabulary): fc.Arbitrary<Draft> {
  return anyOperation(
    operations.filter(({ isSocket }) => isSocket),
    words,
  );
}

function anyOperation(operations: readonly Operation[], words: Vocabulary): fc.Arbitrary<Draft> {
  return fc.oneof(...operations.map((one) => operationDraft(one, words)));
}

function operationDraft(operation: Operation, words: Vocabulary): fc.Arbitrary<Draft> {
  return fc
    .record({
      target: target(operation, words),
      body: body(operation, words),
      authorization,
      extra: fc.oneof(
        { weight: 8, arbitrary: fc.constant<Header[]>([]) },
        { weight: 1, arbitrary: fc.array(extraHeader, { maxLength: 3 }) },
      ),
      own: ownHeaders(operation),
    })
    .map(({ target, body, authorization, extra, own }) => ({
      operation,
      method: operation.method,
      target,
      headers: [['Host', '127.0.0.1'], ...authorization, ...body.headers, ...own, ...extra],
      body: body.bytes,
      delivery: 'whole' as const,
    }));
}

function target({ path, parameters }: Operation, words: Vocabulary): fc.Arbitrary<string> {
  const inPath = parameters.filter((one) => one.in === 'path');
  const inQuery = parameters.filter((one) => one.in === 'query');
  const names = fc.tuple(...inPath.map((one) => pathValue(one, words)));
  const query = fc.oneof(
    { weight: 10, arbitrary: fc.constant('') },
    { weight: 8, arbitrary: queryText(inQuery, words) },
    { weight: 1, arbitrary: hostileText.map((text) => `?${encodeURIComponent(text.toWellFormed())}`) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '?',
        '?&&&',
        '?=',
        '?a[b][c]=1',
        '?__proto__[x]=1',
        '?%ff=1',
        `?x=${secretMark}-in-query`,
        `?${'a=1&'.repeat(1500)}`,
      ),
    },
  );
  return fc
    .tuple(names, query)
    .map(
      ([values, asked]) =>
        inPath.reduce((text, { name }, index) => text.replace(`{${name}}`, () => values[index] ?? ''), path) + asked,
    );
}

/** As it stands in a path: encoded, but now and then badly. */
function pathValue({ name, schema }: Parameter, words: Vocabulary): fc.Arbitrary<string> {
  const asText = (value: unknown): string => encodeURIComponent(String(value).toWellFormed()).replaceAll('%7E', '~');
  return fc.oneof(
    { weight: 8, arbitrary: named(name, schema, words).map(asText) },
    // Paths are logged: whoever puts a secret there has told it.
    { weight: 1, arbitrary: hostileText.filter((text) => !text.includes(secretMark)).map(asText) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        '.',
        '..',
        '%2e%2e%2f',
        '..%2f..',
        '%00',
        '%ff',
        '%',
        '%c0%ae',
        '*',
        ';',
        'a;b=c',
        '%2F',
        '%25%32%65',
        '~ws0~%00',
        '~ws0~%20',
        '~WS0~',
      ),
    },
  );
}

function queryText(parameters: readonly Parameter[], words: Vocabulary): fc.Arbitrary<string> {
  if (parameters.length === 0) return fc.constant('');
  const each = parameters.map(({ name, schema }) =>
    fc
      .oneof({ weight: 3, arbitrary: named(name, schema, words) }, { weight: 1, arbitrary: hostileValue })
      .map((value) => `${name}=${encodeURIComponent(textOf(value))}`),
  );
  return fc.array(fc.oneof(...each), { minLength: 1, maxLength: 3 }).map((parts) => `?${parts.join('&')}`);
}

function textOf(value: unknown): string {
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return text.toWellFormed().slice(0, 2000);
}

type Body = { readonly bytes: Buffer | null; readonly headers: readonly Header[] };

const json: Header = ['Content-Type', 'application/json'];
const noBody: Body = { bytes: null, headers: [] };

function body({ body: described, method }: Operation, words: Vocabulary): fc.Arbitrary<Body> {
  if (described === null) {
    const unasked = fc.constantFrom<Body>(
      { bytes: Buffer.from('{}'), headers: [json] },
      { bytes: Buffer.from('x'), headers: [] },
    );
    return fc.oneof({ weight: 9, arbitrary: fc.constant(noBody) }, { weight: 1, arbitrary: unasked });
  }
  const type: Header = ['Content-Type', described.type];
  if (described.type !== json[1]) {
    const bundle = fc
      .uint8Array({ maxLength: 300 })
      .map((bytes) => Buffer.concat([Buffer.from('# v2 git bundle\n'), bytes]));
    const any = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    return fc.oneof(bundle, any).map((bytes) => ({ bytes, headers: [type] }));
  }
  const written = (value: unknown): Body => ({ bytes: Buffer.from(JSON.stringify(value) ?? ''), headers: [type] });
  return fc.oneof(
    { weight: 12, arbitrary: allowedValue(described.schema, words).map(written) },
    { weight: 6, arbitrary: nearlyAllowedValue(described.schema, words).map(written) },
    { weight: 1, arbitrary: hostileValue.map(written) },
    { weight: 1, arbitrary: brokenJson.map((bytes) => ({ bytes, headers: [type] })) },
    { weight: method === 'POST' ? 2 : 1, arbitrary: fc.constant(noBody) },
    {
      weight: 1,
      arbitrary: fc
        .constantFrom(
          'text/plain',
          'application/xml',
          'application/json; charset=utf-16',
          'application/JSON',
          'multipart/form-data; boundary=x',
          'application/octet-stream',
          '',
          'x',
          ';',
          `application/${'j'.repeat(3000)}`,
        )
        .map((wrong): Body => ({ bytes: Buffer.from('{}'), headers: [['Content-Type', wrong]] })),
    },
  );
}

const authorization: fc.Arbitrary<readonly Header[]> = fc.oneof(
  { weight: 60, arbitrary: fc.constant<Header[]>([['Authorization', 'Bearer ~token~']]) },
  {
    weight: 3,
    arbitrary: fc
      .constantFrom(
        '',
        'Bearer',
        'Bearer ',
        `Bearer nxl_${secretMark}-bad-token`,
        `Basic ${secretMark}`,
        'Bearer ~token~ x',
        'bearer  ~token~ ',
        `Bearer ${secretMark}${'x'.repeat(4000)}`,
        'Bearer \u00e9',
        'Token ~token~',
      )
      .map((value): Header[] => [['Authorization', value]]),
  },
  { weight: 1, arbitrary: fc.constant<Header[]>([]) },
  {
    weight: 1,
    arbitrary: fc.constant<Header[]>([
      ['Authorization', 'Bearer ~token~'],
      ['Authorization', `Bearer ${secretMark}`],
    ]),
  },
);

const extraHeader: fc.Arbitrary<Header> = fc.oneof(
  fc.constantFrom<Header>(
    ['X-Request-Id', 'my-request.1'],
    ['X-Request-Id', `bad id ${'x'.repeat(200)}`],
    ['If-Match', '"x"'],
    ['If-None-Match', '*'],
    ['Range', 'bytes=0-0,5-,-1'],
    ['Accept', 'application/xml'],
    ['Accept-Encoding', 'gzip, br;q=0'],
    ['Content-Encoding', 'gzip'],
    ['Expect', '100-continue'],
    ['Expect', 'something-else'],
    ['Upgrade', 'h2c'],
    ['X-HTTP-Method-Override', 'DELETE'],
    ['X-Forwarded-For', '1.2.3.4'],
    ['X-Forwarded-Proto', 'https'],
    ['X-Forwarded-Host', 'evil.example'],
    ['Origin', 'https://evil.example'],
    ['Cookie', `session=${secretMark}-cookie`],
    ['Cookie', 'a='.repeat(4000)],
    ['Connection', 'close'],
    ['Connection', 'keep-alive, Authorization'],
    ['Last-Event-ID', '-1'],
    ['Last-Event-ID', '9'.repeat(30)],
    ['Sec-WebSocket-Key', 'x'],
    ['X'.repeat(500), 'y'],
    ['X-Large', 'y'.repeat(12_000)],
    ['X-Latin', '\u00e9\u00ff'],
  ),
);

/** Those that the operation names, used well and badly. */
function ownHeaders({ parameters }: Operation): fc.Arbitrary<readonly Header[]> {
  const names = parameters.filter((one) => one.in === 'header').map(({ name }) => name);
  if (names.length === 0) return fc.constant([]);
  const value = fc.constantFrom(
    '',
    'key-1',
    'key-2',
    'key-3',
    '0',
    '17',
    'k'.repeat(255),
    'k'.repeat(256),
    '\u00e9',
    'a,b',
  );
  const used = fc.tuple(fc.constantFrom(...names), value).map(([name, text]): Header[] => [[name, text]]);
  return fc.oneof({ weight: 2, arbitrary: fc.constant<Header[]>([]) }, { weight: 1, arbitrary: used });
}

function misdelivered(draft: Draft): fc.Arbitrary<Draft> {
  const isTwice =
    draft.method === 'GET' && draft.body === null && !draft.headers.some(([name]) => name === 'Connection');
  const possible = deliveries.filter((one) => (one === 'twice' ? isTwice : one === 'pieces' || draft.body !== null));
  return fc.constantFrom(...possible).map((delivery) => ({ ...draft, delivery }));
}

/** Another method, or another path. */
function misaddressed(draft: Draft): fc.Arbitrary<Draft> {
  const { target: right } = draft;
  return fc.oneof(
    fc.constantFrom(...methods).map((method) => ({
      ...draft,
      operation: method === 'HEAD' && draft.method === 'GET' ? draft.operation : null,
      method,
    })),
    fc
      .constantFrom(
        `${right}/`,
        `/${right}`,
        `${right}/..`,
        `/x/..${right}`,
        right.toUpperCase(),
        right.replace('/api/v1', '/api/v2'),
        right.replaceAll('/', '//'),
        right.replaceAll('/', '%2f'),
        right.replace('?', '#'),
        `http://evil.example${right}`,
        `${right}\\`,
        `${right};a=b`,
        `/.${right}`,
      )
      .map((target) => ({ ...draft, operation: null, target })),
  );
}

const strayDraft: fc.Arbitrary<Draft> = fc.record({
  operation: fc.constant(null),
  method: fc.constantFrom(...methods),
  target: fc.oneof(
    fc.constantFrom(
      '/',
      '/..',
      '//',
      '/api',
      '/api/v1',
      '/api/v1/',
      '/api/v1/control',
      '/openapi.json',
      '/metrics',
      '/favicon.ico',
      '/.env',
      '/.git/config',
      '/api/v1/download/../../etc/passwd',
      '/download/..%2f..%2fetc%2fpasswd',
      '/download/nexus-linux-x64%00',
      '/static/../../etc/passwd',
      `/${'a'.repeat(4000)}`,
      `/${'a/'.repeat(2000)}`,
      '/%',
      '/%e0%a4%a',
      '/?',
      '/api/v1/workspaces/~ws0~/exec/..',
    ),
    hostileText
      .filter((text) => !text.includes(secretMark))
      .map((text) => `/${encodeURIComponent(text.toWellFormed()).slice(0, 6000)}`),
  ),
  headers: fc
    .tuple(authorization, fc.array(extraHeader, { maxLength: 4 }))
    .map(([first, more]): Header[] => [['Host', 'x'], ...first, ...more]),
  body: fc.constant(null),
  delivery: fc.constant<Delivery>('whole'),
});
