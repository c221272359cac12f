import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { WebSocket } from 'ws';
import { createClient } from '../../src/contract/api-client.ts';
import { NexusError } from '../../src/contract/errors.ts';
import { placePrefix } from '../../src/contract/log-place.ts';
import { encodeFrame, readFrames } from '../../src/contract/exec-frames.ts';
import { execFrame } from '../../src/contract/stream-protocol.ts';
import type { StreamRequest } from '../../src/contract/stream-protocol.ts';
import type { WorkspaceEvent } from '../../src/contract/workspace.ts';
import { asFull, dropUselessUploads, uploadType } from '../../src/server/api/put-source.ts';
import { appendEvent } from '../../src/server/store/events.ts';
import { deleteWorkspace, findWorkspace, updateWorkspace } from '../../src/server/store/workspaces.ts';
import { createApiWorld } from '../support/api-world.ts';
import type { ApiWorld } from '../support/api-world.ts';
import { socketPair } from '../support/socket-pair.ts';

const repo = { owner: 'o', name: 'r' };
const web = { name: 'web', command: 'npm run dev', port: 3000 };

async function pendingWorkspace(world: ApiWorld, source: 'git' | 'upload' = 'git'): Promise<string> {
  const body = { workspace_name: 'w', repo: { ...repo, source }, services: [web] };
  return (await world.client().call('createWorkspace', { body })).workspace_id;
}

async function runningWorkspace(world: ApiWorld): Promise<string> {
  const id = await pendingWorkspace(world);
  await world.settle(id);
  return id;
}

/** Streams of the workspace; the far ends, in the order in which they were opened. */
function openStreams(world: ApiWorld): { requests: StreamRequest[]; ends: Duplex[] } {
  const requests: StreamRequest[] = [];
  const ends: Duplex[] = [];
  world.openStream = async (_node, request) => {
    requests.push(request);
    const [near, far] = await socketPair();
    ends.push(far);
    return near;
  };
  return { requests, ends };
}

async function end(ends: readonly Duplex[], index = 0): Promise<Duplex> {
  while (ends[index] === undefined) await turn();
  return ends[index];
}

async function collect<T>(source: AsyncIterable<T>, count = Infinity): Promise<T[]> {
  const items: T[] = [];
  for await (const item of source) {
    items.push(item);
    if (items.length === count) break;
  }
  return items;
}

test('logs are lines of text', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await runningWorkspace(world);
  const { requests, ends } = openStreams(world);
  const lines = collect(client.logs(id, { service: 'web', lines: 5 }));
  (await end(ends)).end('one\ntwo\n');
  assert.deepEqual(await lines, ['one', 'two']);
  const empty = collect(client.logs(id));
  (await end(ends, 1)).end();
  assert.deepEqual(await empty, []);
  const kind = { kind: 'logs', workspace_id: id, follow: false };
  assert.deepEqual(requests, [
    { ...kind, source: 'web', lines: 5 },
    { ...kind, lines: 100 },
  ]);
});

test('followed logs come as they are written, until the client leaves', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const { requests, ends } = openStreams(world);
  const left = new AbortController();
  const followed = world.client().followLogs(id, { service: 'pre_start', signal: left.signal });
  const lines = followed[Symbol.asyncIterator]();
  const first = lines.next();
  const far = await end(ends);
  far.write('one\ntw');
  assert.deepEqual(await first, { value: { line: 'one', id: null }, done: false });
  far.write('o\n');
  assert.deepEqual(await lines.next(), { value: { line: 'two', id: null }, done: false });
  left.abort();
  await assert.rejects(lines.next(), { name: 'AbortError' });
  await once(far.resume(), 'end').catch(() => undefined);
  assert.equal(requests[0]?.kind === 'logs' && requests[0].follow, true);
});

test('followed logs end with their stream, and say when it broke', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const { ends } = openStreams(world);
  const whole = collect(world.client().followLogs(id));
  (await end(ends)).end('last\n');
  assert.deepEqual(await whole, [{ line: 'last', id: null }]);
  world.openStream = async () =>
    brokenStream('line\n', new NexusError('stream_failed', { reason: 'the agent is gone' }));
  const broken = world.client().followLogs(id)[Symbol.asyncIterator]();
  assert.deepEqual(await broken.next(), { value: { line: 'line', id: null }, done: false });
  await assert.rejects(broken.next(), { code: 'stream_failed', message: /the agent is gone/ });
  world.openStream = async () => brokenStream('line\n', new Error('read ECONNRESET'));
  await assert.rejects(collect(world.client().followLogs(id)), { code: 'stream_failed' });
});

test('followed logs go on after the line that came last', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const { requests, ends } = openStreams(world);
  const first = collect(world.client().followLogs(id, { lines: 7 }));
  (await end(ends)).end(`${placePrefix('s=6c;i=1')}one\n${placePrefix('s=6c;i=2')}two\n`);
  assert.deepEqual(await first, [
    { line: 'one', id: 's=6c;i=1' },
    { line: 'two', id: 's=6c;i=2' },
  ]);
  const second = collect(world.client().followLogs(id, { lastEventId: 's=6c;i=2', lines: 0 }));
  (await end(ends, 1)).end();
  await second;
  const logs = { kind: 'logs', workspace_id: id, follow: true, places: true };
  assert.deepEqual(requests, [
    { ...logs, lines: 7 },
    { ...logs, lines: 0, after: 's=6c;i=2' },
  ]);
  await assert.rejects(collect(world.client().followLogs(id, { lastEventId: '--no' })), {
    code: 'invalid_request',
    message: /Last-Event-ID: must be the id of a line/,
  });
});

/** Gives its text, then fails when more is asked for. */
function brokenStream(content: string, error: Error): Duplex {
  let given = false;
  return new Duplex({
    read() {
      if (given) setImmediate(() => this.destroy(error));
      else this.push(content);
      given = true;
    },
    write: (_chunk, _encoding, done) => done(),
  });
}

test('logs of what is not there are refused', async () => {
  await using world = await createApiWorld();
  const id = await pendingWorkspace(world);
  const logs = (service?: string): Promise<string[]> =>
    collect(world.client().logs(id, service === undefined ? {} : { service }));
  await assert.rejects(logs('wbe'), { code: 'not_found', message: 'There is no service wbe. Did you mean web?' });
  await assert.rejects(logs(), { code: 'workspace_not_running', message: 'w is not running (it is pending).' });
  await world.settle(id);
  await assert.rejects(logs(), { code: 'node_unreachable' });
  const stopping = { status: 'stopping', step: 'stopping_container' } as const;
  await world.store.transaction((tx) => updateWorkspace(tx, id, stopping));
  await assert.rejects(logs(), { code: 'workspace_not_running', message: 'w is not running (it is stopping).' });
  await world.store.transaction((tx) => updateWorkspace(tx, id, { status: 'running', step: null }));
  await world.client().call('stopWorkspace', { params: { id } });
  await assert.rejects(logs(), { code: 'workspace_not_running', message: 'w is not running (it is stopped).' });
});

function eventsOf(world: ApiWorld, id: string, options: object = {}): AsyncIterator<WorkspaceEvent> {
  return world.client().events(id, options)[Symbol.asyncIterator]();
}

test('events come as they happen, and end with the workspace', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const events = eventsOf(world, id, { lastEventId: 0 });
  const { value: first } = await events.next();
  assert.deepEqual([first.type, first.data.status], ['status', 'pending']);
  assert.equal((await events.next()).value.data.status, 'running');
  const next = events.next();
  await world.store.transaction(async (tx) => {
    await appendEvent(tx, { workspace_id: 'ws-bbbbbbbbbbbb', type: 'step', data: { step: 'not mine' } });
    await appendEvent(tx, { workspace_id: id, type: 'progress', data: { line: 'two\nlines' } });
  });
  const { value } = await next;
  assert.deepEqual(
    [value.type, value.workspace_id, value.at, value.data],
    ['progress', id, '2026-01-17T10:00:00.000Z', { line: 'two\nlines' }],
  );
  await world.client().call('deleteWorkspace', { params: { id }, query: { force: true } });
  assert.equal((await events.next()).value.data.status, 'deleting');
  assert.equal((await events.next()).value.type, 'deleted');
  assert.equal((await events.next()).done, true);
});

async function eventStream(world: ApiWorld, id: string, headers: Record<string, string> = {}): Promise<Response> {
  const url = `${world.baseUrl}/api/v1/workspaces/${id}/events`;
  return fetch(url, { headers: { authorization: 'Bearer token-alice', ...headers } });
}

test('a client that comes back by Last-Event-ID misses nothing', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  for (let step = 1; step <= 250; step++)
    await world.store.transaction((tx) =>
      appendEvent(tx, { workspace_id: id, type: 'step', data: { step: String(step) } }),
    );
  const response = await eventStream(world, id, { 'last-event-id': '2' });
  assert.match(response.headers.get('content-type') ?? '', /^text\/event-stream/);
  assert.match(response.headers.get('x-request-id') ?? '', /^req-/);
  assert.ok(response.headers.get('x-ratelimit-remaining'));
  await world.app.close();
  const ids = [...(await response.text()).matchAll(/^id: (\d+)$/gm)].map(([, one]) => Number(one));
  assert.deepEqual(ids.slice(0, 3), [3, 4, 5]);
});

test('without an id, events come from now on; a wrong id is refused', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const response = await eventStream(world, id, { 'last-event-id': '' });
  await world.store.transaction((tx) => appendEvent(tx, { workspace_id: id, type: 'step', data: { step: 'cloning' } }));
  const reader = response.body?.getReader();
  const { value } = (await reader?.read()) ?? {};
  assert.equal(
    Buffer.from(value ?? [])
      .toString()
      .split('\n')[0],
    'id: 3',
  );
  await reader?.cancel();
  const wrong = await eventStream(world, id, { 'last-event-id': 'x' });
  assert.deepEqual([wrong.status, ((await wrong.json()) as { error: string }).error], [400, 'invalid_request']);
});

test('a quiet stream of events has a heartbeat', async () => {
  await using world = await createApiWorld({ heartbeatMs: 5, bodyWithinMs: 1 });
  const id = await runningWorkspace(world);
  const reader = (await eventStream(world, id)).body?.getReader();
  for (let count = 0; count < 3; count++) {
    const { value } = (await reader?.read()) ?? {};
    assert.match(Buffer.from(value ?? []).toString(), /^:\n\n/);
  }
  await reader?.cancel();
});

test('a client that does not read is waited for', async () => {
  await using world = await createApiWorld({ heartbeatMs: 200 });
  const id = await runningWorkspace(world);
  const line = 'x'.repeat(100_000);
  await world.store.transaction(async (tx) => {
    for (let count = 0; count < 200; count++)
      await appendEvent(tx, { workspace_id: id, type: 'progress', data: { line } });
  });
  const socket = connect(Number(new URL(world.baseUrl).port), '127.0.0.1');
  socket.write(
    `GET /api/v1/workspaces/${id}/events?last_event_id=0 HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-alice\r\n\r\n`,
  );
  await once(socket, 'readable');
  const connections = (): Promise<number> =>
    new Promise((resolve) => world.app.server.getConnections((_, count) => resolve(count)));
  assert.ok((await connections()) > 0);
  // The kernel's buffers take a few of the 20 MB; the rest stays in the database until the client reads.
  let received = 0;
  for await (const chunk of socket) {
    received += (chunk as Buffer).length;
    if (received > 200 * line.length) break;
  }
  assert.ok(received > 200 * line.length);
});

/** Plays the agent's end of an exec stream. */
async function serveExec(far: Duplex, reply: (stdin: string) => readonly Buffer[]): Promise<void> {
  let stdin = '';
  for await (const { type, payload } of readFrames(far)) {
    if (type === execFrame.stdin) stdin += payload.toString();
    if (type === execFrame.stdinEnd) break;
  }
  for (const frame of reply(stdin)) far.write(frame);
}

test('a command gets its input and gives its output and exit code', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const { requests, ends } = openStreams(world);
  const exec = world.client().call('exec', { params: { id }, body: { command: ['cat'], stdin: 'hello', cwd: '/tmp' } });
  const far = await end(ends);
  await serveExec(far, (stdin) => [
    encodeFrame(execFrame.stdout, `${stdin} `),
    encodeFrame(execFrame.stderr, 'warning'),
    encodeFrame(execFrame.stdout, 'world'),
    encodeFrame(execFrame.exit, '3'),
  ]);
  assert.deepEqual(await exec, { exit_code: 3, stdout: 'hello world', stderr: 'warning' });
  assert.deepEqual(requests, [{ kind: 'exec', workspace_id: id, command: ['cat'], cwd: '/tmp' }]);
});

test('a command that no process can be given is refused', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const exec = (body: { command: string[]; cwd?: string }): Promise<unknown> =>
    world.client().call('exec', { params: { id }, body });
  const refused = (message: RegExp): object => ({ code: 'invalid_request', message });
  await assert.rejects(exec({ command: ['a', 'b\0'] }), refused(/command\[1\]: must not hold a NUL/));
  await assert.rejects(exec({ command: ['pwd'], cwd: '\0' }), refused(/cwd: must not hold a NUL/));
  const long = { command: ['echo', 'x'.repeat(60_000)] };
  await assert.rejects(exec(long), refused(/command: must be at most 56 KiB; what is longer goes in as stdin/));
});

const failures: readonly [name: string, frames: readonly Buffer[], error: object][] = [
  [
    'the agent says why',
    [
      encodeFrame(
        execFrame.error,
        JSON.stringify(new NexusError('container_not_ready', { instance: 'i', waiting_for: 'w', seconds: 1 }).toBody()),
      ),
    ],
    { code: 'container_not_ready' },
  ],
  ['the connection ends', [], { code: 'stream_failed', message: /ended before the command did/ }],
  ['the frames are broken', [Buffer.from('nonsense')], { code: 'stream_failed' }],
  [
    'it writes too much',
    Array.from({ length: 170 }, () => encodeFrame(execFrame.stderr, Buffer.alloc(65_536))),
    { code: 'output_too_large', details: { stream: 'stderr', limit_bytes: 10_485_760 } },
  ],
];
for (const [name, frames, error] of failures) {
  test(`a command fails: ${name}`, async () => {
    await using world = await createApiWorld();
    const id = await runningWorkspace(world);
    const { ends } = openStreams(world);
    const exec = world.client().call('exec', { params: { id }, body: { command: ['true'] } });
    const far = await end(ends);
    await serveExec(far, () => frames);
    far.end();
    await assert.rejects(exec, error);
  });
}

test('a command that takes longer than its client waits is ended', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const { ends } = openStreams(world);
  const exec = world
    .client()
    .call('exec', { params: { id }, body: { command: ['sleep', '9'], timeout_seconds: 0.02 } });
  const far = await end(ends);
  await assert.rejects(exec, { code: 'timeout', message: 'The command took longer than 0.02 s.' });
  await buffer(far).catch(() => undefined);
});

test('a stream that breaks under a command is told', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  world.openStream = async () => brokenStream('', new Error('reset by peer'));
  await assert.rejects(world.client().call('exec', { params: { id }, body: { command: ['x'] } }), {
    code: 'stream_failed',
    message: /reset by peer/,
  });
});

test('a command needs a running workspace', async () => {
  await using world = await createApiWorld();
  const id = await pendingWorkspace(world);
  await assert.rejects(world.client().call('exec', { params: { id }, body: { command: ['x'] } }), {
    code: 'workspace_not_running',
  });
});

async function closeOf(socket: WebSocket): Promise<{ code: number; reason: string }> {
  const [code, reason] = (await once(socket, 'close')) as [number, Buffer];
  return { code, reason: reason.toString() };
}

test('a terminal carries frames both ways', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const { requests, ends } = openStreams(world);
  const query = { command: ['bash', '-l'], tty: true, columns: 120, rows: 40, term: 'xterm', cwd: '/tmp' };
  const socket = await world.client().openWebSocket(`/workspaces/${id}/exec`, query);
  const far = await end(ends);
  socket.send(encodeFrame(execFrame.stdin, 'ls\n'));
  const input = readFrames(far);
  assert.deepEqual((await input.next()).value, { type: execFrame.stdin, payload: Buffer.from('ls\n') });
  const message = once(socket, 'message') as Promise<[Buffer, boolean]>;
  far.write(encodeFrame(execFrame.stdout, 'file'));
  assert.deepEqual(await message, [encodeFrame(execFrame.stdout, 'file'), true]);
  const closed = closeOf(socket);
  far.end();
  far.resume();
  await closed;
  const terminal = { columns: 120, rows: 40, type: 'xterm' };
  assert.deepEqual(requests, [{ kind: 'exec', workspace_id: id, command: ['bash', '-l'], cwd: '/tmp', terminal }]);
});

test('a WebSocket that leaves ends its stream', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const { requests, ends } = openStreams(world);
  const socket = await world.client().openWebSocket(`/workspaces/${id}/exec`, { command: 'true' });
  const far = await end(ends);
  socket.close();
  await buffer(far);
  assert.deepEqual(requests, [{ kind: 'exec', workspace_id: id, command: ['true'] }]);
});

/** The error that comes as text before the close. */
async function refusal(world: ApiWorld, path: string, query: Record<string, string> = {}): Promise<NexusError['code']> {
  const socket = await world.client().openWebSocket(path, query);
  const closed = closeOf(socket);
  const [data, binary] = (await once(socket, 'message')) as [Buffer, boolean];
  assert.equal(binary, false);
  const body = JSON.parse(data.toString()) as { error: NexusError['code']; request_id: string };
  assert.match(body.request_id, /^req-/);
  assert.deepEqual(await closed, { code: 1011, reason: body.error });
  return body.error;
}

test('a WebSocket is refused in words', async () => {
  await using world = await createApiWorld();
  const id = await pendingWorkspace(world);
  assert.equal(await refusal(world, `/workspaces/${id}/exec`, { command: 'x' }), 'workspace_not_running');
  assert.equal(await refusal(world, `/workspaces/${id}/exec`), 'invalid_request');
  assert.equal(await refusal(world, `/workspaces/ws-aaaaaaaaaaaa/tunnel`), 'not_found');
  const unknown = createClient({ baseUrl: world.baseUrl, token: 'wrong' }).openWebSocket(`/workspaces/${id}/tunnel`);
  await assert.rejects(unknown, { code: 'unauthorized' });
});

test('a tunnel carries bytes, also those that come before it is open', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const requests: StreamRequest[] = [];
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  const [near, far] = await socketPair();
  world.openStream = async (_node, request) => {
    requests.push(request);
    await opened;
    return near;
  };
  const socket = await world.client().openWebSocket(`/workspaces/${id}/tunnel`);
  socket.send('SSH-2.0-client\r\n');
  while (requests.length === 0) await turn();
  open();
  assert.equal((await once(far, 'data')).toString(), 'SSH-2.0-client\r\n');
  const large = Buffer.alloc(3_000_000, 'x');
  const received: Buffer[] = [];
  socket.on('message', (data: Buffer) => received.push(data));
  const closed = closeOf(socket);
  far.end(large);
  await closed;
  assert.deepEqual(Buffer.concat(received), large);
  assert.deepEqual(requests, [{ kind: 'tcp', workspace_id: id, port: 22 }]);
});

test('a tunnel wakes a stopped workspace', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  await world.client().call('stopWorkspace', { params: { id } });
  await world.store.transaction((tx) => updateWorkspace(tx, id, { host_key: null }));
  const { requests, ends } = openStreams(world);
  const socket = await world.client().openWebSocket(`/workspaces/${id}/tunnel`, { port: '5432' });
  (await end(ends)).end('hello');
  const [data] = (await once(socket, 'message')) as [Buffer];
  assert.equal(data.toString(), 'hello');
  assert.deepEqual(requests, [{ kind: 'tcp', workspace_id: id, port: 5432 }]);
  assert.equal((await findWorkspace(world.store.db, id))?.status, 'running');
});

test('a tunnel opens while services are still being started, or after they failed', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  await world.store.transaction((tx) => updateWorkspace(tx, id, { status: 'creating' }));
  world.reconciler.settled = () => new Promise(() => undefined);
  const { ends } = openStreams(world);
  const socket = await world.client().openWebSocket(`/workspaces/${id}/tunnel`);
  (await end(ends)).end('early');
  assert.equal(((await once(socket, 'message')) as [Buffer])[0].toString(), 'early');
});

test('a tunnel into a workspace that does not start says why', async () => {
  await using world = await createApiWorld();
  const id = await pendingWorkspace(world);
  world.reconciler.settled = async () => {
    throw new NexusError('clone_failed', { url: 'u', reason: 'r' });
  };
  assert.equal(await refusal(world, `/workspaces/${id}/tunnel`), 'clone_failed');
  world.reconciler.settled = (workspaceId) => world.settle(workspaceId);
  await world.store.transaction((tx) => updateWorkspace(tx, id, { host_key: 'k', node: 'node-1', status: 'error' }));
  assert.equal(await refusal(world, `/workspaces/${id}/tunnel`), 'node_unreachable');
});

test('a server that stops ends its streams', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const { ends } = openStreams(world);
  const socket = await world.client().openWebSocket(`/workspaces/${id}/tunnel`);
  await end(ends);
  const closed = closeOf(socket);
  const events = collect(world.client().events(id));
  await once(world.app.server, 'request');
  await world.app.close();
  assert.deepEqual(await closed, { code: 1001, reason: 'the server is stopping' });
  assert.deepEqual(await events, []);
});

test('a client that does not answer the close does not hold a server up', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  openStreams(world);
  const socket = await world.client().openWebSocket(`/workspaces/${id}/tunnel`);
  await turn();
  socket.pause();
  await world.app.close();
  socket.terminate();
});

test('a client that left before its tunnel was open leaves no stream behind', async () => {
  await using world = await createApiWorld();
  const id = await runningWorkspace(world);
  const [near, far] = await socketPair();
  const { promise: asked, resolve: ask } = Promise.withResolvers<AbortSignal>();
  const { promise: opened, resolve: open } = Promise.withResolvers<void>();
  world.openStream = async (_node, _request, options) => {
    ask(options?.signal ?? AbortSignal.abort());
    await opened;
    return near;
  };
  const socket = await world.client().openWebSocket(`/workspaces/${id}/tunnel`);
  const gone = once(await asked, 'abort');
  socket.terminate();
  await gone;
  open();
  await buffer(far);
});

const bundle = `# v2 git bundle\n${'x'.repeat(200_000)}`;

function uploads(world: ApiWorld): string[] {
  return readdirSync(join(world.dataDir, 'uploads'));
}

test('the repository of a workspace is taken as a bundle, whole or not at all', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await pendingWorkspace(world, 'upload');
  world.asked.length = 0;
  await client.putSource(id, new TextEncoder().encode(bundle));
  assert.deepEqual(uploads(world), [`${id}.bundle`]);
  assert.equal(readFileSync(join(world.dataDir, 'uploads', `${id}.bundle`), 'utf8'), bundle);
  assert.equal((await findWorkspace(world.store.db, id))?.uploaded, 1);
  assert.deepEqual(world.asked, [`nudge ${id}`]);
  await client.putSource(id, new Blob([bundle]).stream());
  await world.store.transaction((tx) => updateWorkspace(tx, id, { commit_id: 'c' }));
  await assert.rejects(client.putSource(id, new TextEncoder().encode(bundle)), {
    message: /source: is in the workspace already/,
  });
});

test('what is no bundle, too large, or not asked for is refused, and nothing is left', async () => {
  await using world = await createApiWorld({ env: { NEXUS_LIMITS_UPLOAD: '1000' } });
  const client = world.client();
  const id = await pendingWorkspace(world, 'upload');
  const put = (content: string): Promise<void> => client.putSource(id, new TextEncoder().encode(content));
  await assert.rejects(put('# v2 git archive\n'), { message: /body: is not a git bundle/ });
  await assert.rejects(put(''), { code: 'invalid_request' });
  await assert.rejects(put(bundle), { code: 'payload_too_large', details: { limit_bytes: 1000 } });
  const json = await fetch(`${world.baseUrl}/api/v1/workspaces/${id}/source`, {
    method: 'PUT',
    headers: { authorization: 'Bearer token-alice', 'content-type': 'application/json' },
    body: '{}',
  });
  assert.deepEqual(
    [json.status, ((await json.json()) as { details: object }).details],
    [415, { got: 'application/json', expected: 'application/octet-stream' }],
  );
  assert.deepEqual(uploads(world), []);
  await world.settle(id);
  await client.call('deleteWorkspace', { params: { id }, query: { force: true } });
  const cloned = await pendingWorkspace(world);
  await assert.rejects(client.putSource(cloned, new TextEncoder().encode(bundle)), {
    message: /source: comes from its URL/,
  });
});

test('two uploads at once do not meet, also under one request id', async () => {
  await using world = await createApiWorld();
  const id = await pendingWorkspace(world, 'upload');
  const put = async (): Promise<number> => {
    const headers = { authorization: 'Bearer token-alice', 'content-type': uploadType, 'x-request-id': 'mine' };
    const url = `${world.baseUrl}/api/v1/workspaces/${id}/source`;
    return (await fetch(url, { method: 'PUT', headers, body: bundle })).status;
  };
  assert.deepEqual(await Promise.all([put(), put(), put(), put()]), [204, 204, 204, 204]);
  assert.deepEqual(uploads(world), [`${id}.bundle`]);
});

test('an upload that breaks off leaves nothing', async () => {
  await using world = await createApiWorld();
  const id = await pendingWorkspace(world, 'upload');
  const socket = connect(Number(new URL(world.baseUrl).port), '127.0.0.1');
  const head = `PUT /api/v1/workspaces/${id}/source HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-alice\r\nContent-Type: application/octet-stream\r\nContent-Length: 500000\r\n\r\n`;
  socket.write(`${head}${bundle.slice(0, 100)}`);
  while (uploads(world).length === 0) await turn();
  socket.destroy();
  while (uploads(world).length > 0) await turn();
  assert.equal((await findWorkspace(world.store.db, id))?.uploaded, 0);
});

test('what a killed server left of an upload is dropped at the next start', async () => {
  await using world = await createApiWorld();
  const waiting = await pendingWorkspace(world, 'upload');
  const folder = join(world.dataDir, 'uploads');
  for (const name of [`${waiting}.bundle`, `${waiting}.bundle.req-1.part`, 'ws-goneforgood1.bundle'])
    writeFileSync(join(folder, name), '');
  await dropUselessUploads(world.dataDir, world.store);
  assert.deepEqual(uploads(world), [`${waiting}.bundle`]);
  // The server that took its configuration over was killed before it dropped the upload.
  await world.store.transaction((tx) => updateWorkspace(tx, waiting, { config_json: '{}' }));
  await dropUselessUploads(world.dataDir, world.store);
  assert.deepEqual(uploads(world), []);
});

test('an upload that comes in while its workspace is deleted leaves nothing', async () => {
  await using world = await createApiWorld();
  const id = await pendingWorkspace(world, 'upload');
  const socket = connect(Number(new URL(world.baseUrl).port), '127.0.0.1');
  const head = `PUT /api/v1/workspaces/${id}/source HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer token-alice\r\nContent-Type: application/octet-stream\r\nContent-Length: ${bundle.length}\r\n\r\n`;
  socket.write(`${head}${bundle.slice(0, 100)}`);
  while (uploads(world).length === 0) await turn();
  await world.store.transaction((tx) => deleteWorkspace(tx, id));
  socket.write(bundle.slice(100));
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1.1 404 /);
  assert.deepEqual(uploads(world), []);
  socket.destroy();
});

test('a full disk is called so', () => {
  const full = asFull(Object.assign(new Error('no space'), { code: 'ENOSPC' }), '/data/uploads');
  assert.ok(full instanceof NexusError && full.code === 'disk_full');
});
