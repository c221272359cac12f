import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { WebSocketServer } from 'ws';
import { ServerUnreachable, createClient, pathOf } from './api-client.ts';
import type { Client } from './api-client.ts';
import { NexusError } from './errors.ts';

type Exchange = {
  method: string | undefined;
  url: string | undefined;
  headers: IncomingMessage['headers'];
  body: string;
};
type Fake = AsyncDisposable & { client: Client; baseUrl: string; seen: Exchange[] };

/** A server that answers everything in one way, and keeps what it was asked. */
async function answering(answer: (response: ServerResponse) => void, token: string | null = 'secret'): Promise<Fake> {
  const seen: Exchange[] = [];
  const server = createServer((request, response) => {
    const { method, url, headers } = request;
    void text(request).then((body) => {
      seen.push({ method, url, headers, body });
      answer(response);
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const dispose = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
  };
  return { client: createClient({ baseUrl: `${baseUrl}/`, token }), baseUrl, seen, [Symbol.asyncDispose]: dispose };
}

function sendJson(status: number, body: unknown): (response: ServerResponse) => void {
  return (response) =>
    void response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
}

const id = 'ws-aaaaaaaaaaaa';

test('a call fills in path, query, body and token', async () => {
  await using fake = await answering(sendJson(200, { ok: true }));
  const { client, seen } = fake;
  const headers = { 'idempotency-key': 'k' };
  await client.call('createWorkspace', { body: { workspace_name: 'w', repo: { owner: 'o', name: 'r' } }, headers });
  await client.call('listWorkspaces', { query: { owner: 'a b', limit: 3 } });
  await client.call('getUser', { params: { username: 'a/b' } });
  const [create, list, user] = seen;
  assert.deepEqual(
    [create?.method, create?.url, create?.body],
    ['POST', '/api/v1/workspaces', '{"workspace_name":"w","repo":{"owner":"o","name":"r"}}'],
  );
  assert.deepEqual(
    ['authorization', 'content-type', 'idempotency-key', 'accept'].map((name) => create?.headers[name]),
    ['Bearer secret', 'application/json', 'k', 'application/json'],
  );
  assert.deepEqual([list?.url, list?.headers['content-type']], ['/api/v1/workspaces?owner=a+b&limit=3', undefined]);
  assert.equal(user?.url, '/api/v1/users/a%2Fb');
  assert.equal(fake.client.baseUrl, fake.baseUrl);
});

test('without a token none is sent', async () => {
  await using fake = await answering(sendJson(200, {}), null);
  await fake.client.call('getHealth');
  assert.equal(fake.seen[0]?.headers.authorization, undefined);
});

test('an answer without a body is undefined', async () => {
  await using fake = await answering((response) => void response.writeHead(204).end());
  assert.equal(await fake.client.call('deleteWorkspace', { params: { id } }), undefined);
  await fake.client.putSource(id, new Uint8Array([1, 2]));
  assert.deepEqual(
    [fake.seen[1]?.headers['content-type'], fake.seen[1]?.body],
    ['application/octet-stream', '\u0001\u0002'],
  );
});

test("an error is in the server's words, with the id of the request", async () => {
  const body = {
    error: 'not_found',
    message: 'It is not there.',
    details: { kind: 'workspace', name: 'x' },
    hint: 'look elsewhere',
    request_id: 'req-1',
  };
  await using fake = await answering(sendJson(404, body));
  const { code, message, hint, details, requestId } = await failureOf(fake.client.call('whoAmI'), NexusError);
  assert.deepEqual({ error: code, message, hint, details, request_id: requestId }, body);
});

test('an error that only a newer server knows keeps its words', async () => {
  await using fake = await answering(
    sendJson(409, { error: 'moon_phase', message: 'Not now.', details: {}, hint: null }),
  );
  const { code, message, hint, requestId } = await failureOf(fake.client.call('whoAmI'), NexusError);
  assert.deepEqual([code, message, hint, requestId], ['internal', 'Not now.', null, null]);
});

async function failureOf<E extends Error>(result: Promise<unknown>, kind: new (...args: never[]) => E): Promise<E> {
  const error: unknown = await result.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof kind, String(error));
  return error;
}

const strangers: readonly [name: string, answer: (response: ServerResponse) => void, reason: RegExp][] = [
  [
    'a page',
    (response) => void response.writeHead(200, { 'content-type': 'text/html' }).end('<p>'),
    /it answered 200 with text\/html, so it is not a Nexus server/,
  ],
  ['nothing', (response) => void response.writeHead(200).end(), /it answered 200 with nothing/],
  ['broken JSON', (response) => void response.writeHead(200, { 'content-type': 'application/json' }).end('{'), /JSON/],
  ['an error of another form', sendJson(502, { code: 7 }), /it answered 502 without saying why/],
  ['a closed connection', (response) => void response.socket?.destroy(), /the connection was closed|other side closed/],
];
for (const [name, answer, reason] of strangers) {
  test(`what is no Nexus server is unreachable: ${name}`, async () => {
    await using fake = await answering(answer);
    const error = await failureOf(fake.client.call('whoAmI'), ServerUnreachable);
    assert.equal(error.baseUrl, fake.baseUrl);
    assert.match(error.reason, reason);
  });
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

test('a server that is not there is unreachable, over HTTP and WebSocket', async () => {
  const baseUrl = `http://127.0.0.1:${await freePort()}`;
  const client = createClient({ baseUrl, token: null });
  const refused = {
    reason: 'the connection was refused',
    message: `The Nexus server at ${baseUrl} cannot be reached: the connection was refused.`,
  };
  await assert.rejects(client.call('getHealth'), refused);
  await assert.rejects(client.openWebSocket('/x'), refused);
  await assert.rejects(createClient({ baseUrl: 'http://[', token: null }).call('getHealth'), ServerUnreachable);
});

test('failures of fetch of any form have a reason', async () => {
  const failing = (error: unknown): Client =>
    createClient({
      baseUrl: 'http://x',
      token: null,
      fetch: async () => {
        throw error as Error;
      },
    });
  const reason = async (error: unknown): Promise<string> =>
    (await failureOf(failing(error).call('getHealth'), ServerUnreachable)).reason;
  assert.equal(
    await reason(Object.assign(new Error('Unable to connect'), { code: 'ConnectionRefused' })),
    'the connection was refused',
  );
  assert.equal(await reason(new TypeError('fetch failed', { cause: new Error('bad certificate') })), 'bad certificate');
  assert.equal(await reason('odd'), 'odd');
});

test('an aborted call rejects with the reason of its signal', async () => {
  await using fake = await answering(() => undefined);
  const reason = new Error('enough');
  const call = fake.client.call('whoAmI', { signal: AbortSignal.abort(reason) });
  await assert.rejects(call, reason);
});

function sendEvents(content: string): (response: ServerResponse) => void {
  return (response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(content);
}

test('events are read until the stream ends', async () => {
  const event = {
    id: 4,
    workspace_id: id,
    type: 'status',
    at: '2026-01-17T10:00:00.000Z',
    data: { status: 'running' },
  };
  await using fake = await answering(sendEvents(`:\n\nid: 4\nevent: status\ndata: ${JSON.stringify(event)}\n\n`));
  assert.deepEqual(await Array.fromAsync(fake.client.events(id, { lastEventId: 3 })), [event]);
  assert.deepEqual(await Array.fromAsync(fake.client.events(id)), [event]);
  assert.deepEqual(
    fake.seen.map(({ url }) => url),
    [`/api/v1/workspaces/${id}/events?last_event_id=3`, `/api/v1/workspaces/${id}/events`],
  );
  assert.equal(fake.seen[0]?.headers.accept, 'text/event-stream');
});

test('an event of a kind that only a newer server knows is passed over', async () => {
  await using fake = await answering(sendEvents('data: {"id":1,"type":"eclipse"}\n\n'));
  assert.deepEqual(await Array.fromAsync(fake.client.events(id)), []);
});

test('an answer that breaks off is unreachable', async () => {
  await using fake = await answering((response) => {
    response.writeHead(200, { 'content-type': 'text/plain', 'content-length': 100 });
    response.write('one\n', () => response.socket?.destroy());
  });
  await assert.rejects(Array.fromAsync(fake.client.logs(id)), ServerUnreachable);
});

test('followed logs end with the error that the server sends', async () => {
  const error = { error: 'stream_failed', message: 'No.', details: { reason: 'x' }, hint: null };
  await using fake = await answering(sendEvents(`data: one\n\nevent: error\ndata: ${JSON.stringify(error)}\n\n`));
  const lines: string[] = [];
  const read = (async () => {
    for await (const { line } of fake.client.followLogs(id, { service: 'web', lines: 1 })) lines.push(line);
  })();
  await assert.rejects(read, { code: 'stream_failed', message: 'No.' });
  assert.deepEqual(
    [lines, fake.seen[0]?.url],
    [['one'], `/api/v1/workspaces/${id}/logs?service=web&lines=1&follow=true`],
  );
});

test('a stream of events that breaks is unreachable, unless it was aborted', async () => {
  await using fake = await answering((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n');
  });
  const left = new AbortController();
  const lines = fake.client.followLogs(id, { signal: left.signal })[Symbol.asyncIterator]();
  assert.deepEqual((await lines.next()).value, { line: 'one', id: null });
  left.abort(new Error('enough'));
  await assert.rejects(lines.next(), /enough/);
  await using cut = await answering((response) => {
    response
      .writeHead(200, { 'content-type': 'text/event-stream' })
      .write('data: one\n\n', () => response.socket?.destroy());
  });
  await assert.rejects(Array.fromAsync(cut.client.followLogs(id)), ServerUnreachable);
});

test('followed logs go on after a line, and say when they are open', async () => {
  await using fake = await answering(sendEvents('id: s=1\ndata: two\n\n'));
  const opened: string[] = [];
  const onOpen = (): void => void opened.push('open');
  const lines = await Array.fromAsync(fake.client.followLogs(id, { lastEventId: 's=0', onOpen }));
  assert.deepEqual([lines, opened], [[{ line: 'two', id: 's=1' }], ['open']]);
  assert.equal(fake.seen[0]?.headers['last-event-id'], 's=0');
});

test('a stream of events without a sign of life is given up', async () => {
  await using fake = await answering((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: one\n\n');
  });
  const client = createClient({ baseUrl: fake.client.baseUrl, token: null, silentMs: 20 });
  const lines = client.followLogs(id)[Symbol.asyncIterator]();
  await assert.rejects(
    async () => {
      while (!(await lines.next()).done);
    },
    { name: 'ServerUnreachable', message: /nothing was heard of it for 0 s\.$/ },
  );
});

test('logs of nothing are no lines, and an empty line is one', async () => {
  const answers = ['', 'a\n\nb\n'];
  await using fake = await answering(
    (response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end(answers.shift()),
  );
  assert.deepEqual(await Array.fromAsync(fake.client.logs(id)), []);
  assert.deepEqual(await Array.fromAsync(fake.client.logs(id, { lines: 3 })), ['a', '', 'b']);
});

test('a WebSocket is open when it is given, with nothing lost that came at once', async () => {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new WebSocketServer({ server });
  const urls: (string | undefined)[] = [];
  sockets.on('connection', (socket, { url, headers }) => {
    urls.push(url, headers.authorization);
    socket.send('at once');
  });
  const client = createClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: 't' });
  const socket = await client.openWebSocket('/x', { command: ['a', 'b c'], tty: true, cwd: undefined });
  const [message] = (await once(socket, 'message')) as [Buffer];
  assert.equal(message.toString(), 'at once');
  assert.deepEqual(urls, ['/api/v1/x?command=a&command=b+c&tty=true', 'Bearer t']);
  socket.terminate();
  await assert.rejects(client.openWebSocket('/x', {}, { signal: AbortSignal.abort(new Error('enough')) }), /enough/);
  const left = new AbortController();
  const opening = client.openWebSocket('/x', {}, { signal: left.signal });
  setImmediate(() => left.abort(new Error('enough')));
  await opening.then(
    (late) => late.terminate(),
    (error: Error) => assert.equal(error.message, 'enough'),
  );
  server.closeAllConnections();
  server.close();
});

test('a WebSocket that is not opened says why', async () => {
  const body = {
    error: 'unauthorized',
    message: 'Sign in.',
    details: { reason: 'x' },
    hint: null,
    request_id: 'req-1',
  };
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  server.on('upgrade', (_request, socket) => {
    const text = JSON.stringify(body);
    socket.end(
      `HTTP/1.1 401 Unauthorized\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n${text}`,
    );
  });
  const client = createClient({ baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, token: null });
  await assert.rejects(client.openWebSocket('/x'), { code: 'unauthorized', message: 'Sign in.', requestId: 'req-1' });
  server.close();
});

test('paths are filled in and escaped', () => {
  assert.equal(pathOf('/a/:id/b/:name', { id: 'x y', name: 'ü' }), '/a/x%20y/b/%C3%BC');
  assert.equal(pathOf('/a/:id', {}), '/a/');
});
