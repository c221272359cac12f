import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { endpoints } from '../../src/contract/api.ts';
import { errorCatalogue } from '../../src/contract/error-catalogue.ts';
import { NexusError } from '../../src/contract/errors.ts';
import { holdConnections } from '../../src/server/api/http-server.ts';
import { serverConfig } from '../../src/contract/server-config.ts';
import { joinTokenHash } from '../../src/contract/handshake.ts';
import { createHandlers } from '../../src/server/api/handlers.ts';
import type { HandlerDeps } from '../../src/server/api/app-deps.ts';
import { useJoinToken } from '../../src/server/store/join-tokens.ts';
import { updateNode } from '../../src/server/store/nodes.ts';
import { createApiWorld } from '../support/api-world.ts';
import type { ApiWorld } from '../support/api-world.ts';

const repo = { owner: 'o', name: 'r' };
const bearer = { authorization: 'Bearer token-alice' };
const json = { 'content-type': 'application/json' };

type Answer = { status: number; headers: Headers; body: Record<string, unknown> };

async function request(world: ApiWorld, path: string, init: RequestInit = {}): Promise<Answer> {
  const response = await fetch(`${world.baseUrl}${path}`, init);
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as Record<string, unknown>,
  };
}

test('every endpoint of the table has a handler, and every handler an endpoint', () => {
  const handlers = createHandlers({ now: () => new Date(), config: serverConfig.parse({}) } as HandlerDeps);
  assert.deepEqual(Object.keys(handlers).sort(), Object.keys(endpoints).sort());
});

test('a request without a good token is refused, in the form of the catalogue', async () => {
  await using world = await createApiWorld();
  const refused = async (headers: Record<string, string>): Promise<string> => {
    const { status, body, headers: answered } = await request(world, '/api/v1/workspaces', { headers });
    assert.deepEqual([status, body['error']], [401, 'unauthorized']);
    assert.equal(answered.get('www-authenticate'), 'Bearer');
    return String(body['message']);
  };
  assert.match(await refused({}), /the request has no token/);
  assert.match(await refused({ authorization: 'Basic abc' }), /not of the form Bearer TOKEN/);
  assert.match(await refused({ authorization: 'Bearer a b' }), /not of the form Bearer TOKEN/);
  assert.match(await refused({ authorization: 'Bearer wrong' }), /the token is not known/);
});

test("the local token is its owner's, who is an administrator", async () => {
  await using world = await createApiWorld({ authenticator: 'local' });
  assert.deepEqual(await world.client().call('whoAmI'), {
    github_username: 'alice',
    github_id: 1001,
    admin: true,
    registered: false,
  });
});

test('a well-formed request id is kept, another is replaced, on every answer', async () => {
  await using world = await createApiWorld();
  const idOf = async (path: string, id?: string): Promise<string | null> => {
    const { headers, body } = await request(world, path, id === undefined ? {} : { headers: { 'x-request-id': id } });
    if ('error' in body) assert.equal(body['request_id'], headers.get('x-request-id'));
    return headers.get('x-request-id');
  };
  assert.equal(await idOf('/health', 'my-id.1'), 'my-id.1');
  assert.equal(await idOf('/api/v1/workspaces', 'my-id.1'), 'my-id.1');
  assert.match(String(await idOf('/nothing', 'not well formed')), /^req-[a-z0-9]{12}$/);
  assert.equal(await idOf('/api/v1/%ff', 'my-id.1'), 'my-id.1');
  assert.match(String(await idOf('/health')), /^req-[a-z0-9]{12}$/);
});

test('what HTTP can refuse is refused in the form of the catalogue', async () => {
  await using world = await createApiWorld();
  const post = async (init: RequestInit): Promise<[number, unknown, unknown]> => {
    const { status, body } = await request(world, '/api/v1/workspaces', { method: 'POST', ...init });
    return [status, body['error'], body['message']];
  };
  const headers = { ...bearer, ...json };
  assert.deepEqual(await post({ headers, body: ' '.repeat(2 ** 20 + 1) }), [
    413,
    'payload_too_large',
    'The body is larger than 1048576 bytes.',
  ]);
  assert.deepEqual(await post({ headers: { ...bearer, 'content-type': 'text/plain' }, body: 'x' }), [
    415,
    'unsupported_media_type',
    'The body is text/plain, expected application/json.',
  ]);
  const [status, error, message] = await post({ headers, body: '{' });
  assert.deepEqual([status, error], [400, 'invalid_request']);
  assert.match(String(message), /body: .*JSON/i);
  assert.deepEqual((await post({ headers, body: '{"__proto__": 1}' })).slice(0, 2), [400, 'invalid_request']);
  assert.deepEqual((await post({ headers, body: '' })).slice(0, 2), [400, 'invalid_request']);
  assert.match(String((await request(world, '/api/v1/%ff')).body['message']), /path: is not a well-formed path/);
  const plain = await request(world, '/api/v1/workspaces/ws-aaaaaaaaaaaa/tunnel', { headers: bearer });
  assert.equal(plain.body['message'], 'There is no endpoint GET /api/v1/workspaces/ws-aaaaaaaaaaaa/tunnel.');
  const { body, status: missing } = await request(world, '/api/v1/nothing?x=secret');
  assert.deepEqual([missing, body['message']], [404, 'There is no endpoint GET /api/v1/nothing.']);
  const unknown = await request(world, '/api/v1/workspaces/ws-aaaaaaaaaaaa/start?force=1', {
    method: 'POST',
    headers,
    body: '{"now":true}',
  });
  assert.match(String(unknown.body['message']), /force: is not known; now: is not known/);
  assert.equal((await request(world, '/api/v1/user', { method: 'POST', headers: bearer })).status, 404);
});

test('an empty body of a JSON type is no body', async () => {
  await using world = await createApiWorld();
  const { workspace_id } = await world.client().call('createWorkspace', { body: { workspace_name: 'w', repo } });
  await world.settle(workspace_id);
  for (const body of ['', 'null', '{}']) {
    const { status } = await request(world, `/api/v1/workspaces/${workspace_id}/start`, {
      method: 'POST',
      headers: { ...bearer, ...json },
      body,
    });
    assert.equal(status, 409);
  }
});

async function raw(world: ApiWorld, bytes: string): Promise<string> {
  const socket = connect(Number(new URL(world.baseUrl).port), '127.0.0.1');
  socket.end(bytes);
  return text(socket);
}

test('a body that does not arrive in time ends its connection', async () => {
  await using world = await createApiWorld({ bodyWithinMs: 50 });
  const socket = connect(Number(new URL(world.baseUrl).port), '127.0.0.1');
  const head = 'Host: x\r\nAuthorization: Bearer token-alice\r\nContent-Type: application/json\r\nContent-Length: 9';
  socket.write(`POST /api/v1/workspaces HTTP/1.1\r\n${head}\r\n\r\n{`);
  assert.equal(await text(socket).catch(() => ''), '');
});

test('what is not HTTP gets an answer of the same form', async () => {
  await using world = await createApiWorld();
  const answer = await raw(world, 'SSH-2.0-OpenSSH\r\n\r\n');
  assert.match(answer, /^HTTP\/1\.1 400 Bad Request\r\n/);
  assert.match(answer, /X-Request-Id: req-/);
  assert.match(answer, /"error":"invalid_request".*not a well-formed HTTP request/);
  const large = await raw(world, `GET / HTTP/1.1\r\nHost: x\r\nX: ${'x'.repeat(20_000)}\r\n\r\n`);
  assert.match(large, /the headers are too long/);
});

test('what HTTP lets a client say beside its request changes nothing, or is refused in the same form', async () => {
  await using world = await createApiWorld();
  const head = (more: string, path = '/health'): string => `GET ${path} HTTP/1.1\r\n${more}Connection: close\r\n\r\n`;
  const exec = '/api/v1/workspaces/ws-aaaaaaaaaaaa/exec';
  const table: [string, RegExp][] = [
    [head(''), /^HTTP\/1\.1 400 .*"error":"invalid_request".*Host: is required/s],
    [head('Host: x\r\nExpect: the-best\r\n'), /^HTTP\/1\.1 200 /],
    // As `curl --http2` asks.
    [
      head('Host: x\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n').replace('close', 'Upgrade, close'),
      /^HTTP\/1\.1 200 /,
    ],
    [
      head('Host: x\r\nAuthorization: Bearer token-alice\r\nUpgrade: websocket\r\n', `${exec}?command=ls`).replace(
        'close',
        'Upgrade',
      ),
      /^HTTP\/1\.1 400 .*"error":"invalid_request".*Sec-WebSocket-Key/s,
    ],
    [head('Host: x\r\nUpgrade: websocket\r\n').replace('close', 'Upgrade, close'), /^HTTP\/1\.1 200 /],
  ];
  for (const [bytes, answer] of table) assert.match(await raw(world, bytes), answer, bytes);
  await raw(world, head('Host: x\r\n', '/api/v1/%ff?token=secret'));
  assert.equal(JSON.stringify(world.logged).includes('secret'), false);
});

test('a request with a great many mistakes is told the first fifty of them', async () => {
  await using world = await createApiWorld();
  const unknown = Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`k${index}`, 1]));
  const { status, body } = await request(world, '/api/v1/workspaces', {
    method: 'POST',
    headers: { ...bearer, ...json },
    body: JSON.stringify({ workspace_name: 'w', repo, ...unknown, ['x'.repeat(5_000)]: 1 }),
  });
  const { fields } = body['details'] as { fields: { path: string; problem: string }[] };
  assert.deepEqual([status, fields.length, fields.at(-1)?.problem], [400, 51, 'has 59951 more problems']);
  assert.ok(fields.every(({ path }) => path.length <= 201));
});

test('a WebSocket that is asked for at a malformed path holds nothing', async () => {
  await using world = await createApiWorld();
  const upgrade = 'Host: x\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n';
  for (const id of ['%', '%ff', 'x'.repeat(200), `${'x'.repeat(200)}%3Fsecret`]) {
    const accepted = once(world.app.server, 'connection');
    const answer = raw(world, `GET /api/v1/workspaces/${id}/exec?x=secret HTTP/1.1\r\n${upgrade}\r\n`);
    const [served] = (await accepted) as [Socket];
    assert.match(await answer, /^HTTP\/1\.1 400 .*path: is not a well-formed path/s);
    if (!served.closed) await once(served, 'close');
  }
  assert.equal(JSON.stringify(world.logged.filter(({ msg }) => msg !== 'answered')).includes('secret'), false);
});

test('every connection can be cut, whatever it is for', async () => {
  await using world = await createApiWorld();
  const connections = holdConnections(world.app);
  const accepted = once(world.app.server, 'connection');
  const socket = connect(Number(new URL(world.baseUrl).port), '127.0.0.1');
  await accepted;
  connections.cut();
  await once(socket, 'close');
});

test('who was refused and does not end the connection is let go', async () => {
  await using world = await createApiWorld();
  const accepted = once(world.app.server, 'connection');
  const socket = connect({ port: Number(new URL(world.baseUrl).port), host: '127.0.0.1', allowHalfOpen: true });
  socket.write('GARBAGE\r\n\r\n');
  const [served] = (await accepted) as [Socket];
  assert.match(await text(socket), /^HTTP\/1\.1 400 /);
  if (!served.closed) await once(served, 'close');
  socket.destroy();
});

test('a fault of the server shows nothing of its cause, and logs it', async () => {
  await using world = await createApiWorld();
  world.peers.gateway = () => {
    throw new Error('the secret cause');
  };
  const { status, headers, body } = await request(world, '/health');
  const request_id = headers.get('x-request-id');
  assert.deepEqual(
    [status, body],
    [
      500,
      {
        error: 'internal',
        message: `The server failed (${request_id}).`,
        details: { request_id },
        hint: 'nexus doctor',
        request_id,
      },
    ],
  );
  const { err, request_id: logged } = world.logged.find(({ msg }) => msg === 'the request failed') ?? {};
  assert.deepEqual([(err as Error).message, logged], ['the secret cause', request_id]);
});

test('a failure with a cause keeps the cause for the log', async () => {
  await using world = await createApiWorld();
  const { workspace_id } = await world.client().call('createWorkspace', { body: { workspace_name: 'w', repo } });
  await world.settle(workspace_id);
  world.reconciler.settled = async () => {
    throw new NexusError('node_unreachable', { node: 'n' }, { cause: new Error('the socket closed') });
  };
  const init = { method: 'POST', headers: bearer };
  const { status, headers, body } = await request(world, `/api/v1/workspaces/${workspace_id}/stop`, init);
  assert.deepEqual([status, headers.get('retry-after'), body['error']], [503, '5', 'node_unreachable']);
  assert.equal(JSON.stringify(body).includes('socket'), false);
  const { err } = world.logged.find((line) => line['error'] === 'node_unreachable') ?? {};
  assert.equal((err as Error).message, 'the socket closed');
});

test('answers are logged with who and what, without queries and tokens', async () => {
  await using world = await createApiWorld();
  await request(world, '/api/v1/workspaces?owner=secret-owner', { headers: bearer });
  await request(world, '/api/v1/workspaces', { method: 'POST', headers: { ...bearer, ...json }, body: '{}' });
  await world.app.close();
  const lines = world.logged.filter(({ msg }) => msg === 'answered');
  assert.deepEqual(
    lines.map((line) => [line['level'], line['method'], line['path'], line['status'], line['user']]),
    [
      [20, 'GET', '/api/v1/workspaces', 200, 'alice'],
      [30, 'POST', '/api/v1/workspaces', 400, 'alice'],
    ],
  );
  assert.equal(/token-alice|secret-owner/.test(JSON.stringify(world.logged)), false);
});

test('a user has so many requests a minute, and another user as many', async () => {
  await using world = await createApiWorld({ env: { NEXUS_LIMITS_REQUESTS_PER_MINUTE: '2' } });
  const list = (token: string): Promise<Answer> =>
    request(world, '/api/v1/workspaces', { headers: { authorization: `Bearer ${token}` } });
  const first = await list('token-alice');
  assert.deepEqual([first.headers.get('x-ratelimit-limit'), first.headers.get('x-ratelimit-remaining')], ['2', '1']);
  assert.ok(Number(first.headers.get('x-ratelimit-reset')) <= 60);
  await list('token-alice');
  const over = await list('token-alice');
  assert.deepEqual(
    [over.status, over.body['error'], (over.body['details'] as { limit: number }).limit],
    [429, 'rate_limited', 2],
  );
  assert.ok(Number(over.headers.get('retry-after')) > 0);
  assert.equal((await list('token-bob')).status, 200);
  for (let count = 0; count < 4; count++) assert.equal((await request(world, '/health')).status, 200);
});

test('a server that is stopping says so, after it let running requests end', async () => {
  await using world = await createApiWorld();
  const { workspace_id } = await world.client().call('createWorkspace', { body: { workspace_name: 'w', repo } });
  await world.settle(workspace_id);
  const { promise: stopping, resolve: begin } = Promise.withResolvers<void>();
  const { promise: settled, resolve: settle } = Promise.withResolvers<void>();
  world.reconciler.settled = async (id) => {
    begin();
    await settled;
    await world.settle(id);
  };
  const host = 'Host: x\r\nAuthorization: Bearer token-alice\r\n';
  const socket = connect(Number(new URL(world.baseUrl).port), '127.0.0.1');
  const answers = text(socket);
  socket.write(`POST /api/v1/workspaces/${workspace_id}/stop HTTP/1.1\r\n${host}\r\n`);
  await stopping;
  const closed = world.app.close();
  while ((await request(world, '/health')).status !== 503) await turn();
  const arrived = once(world.app.server, 'request');
  socket.write(`GET /health HTTP/1.1\r\n${host}\r\n`);
  await arrived;
  settle();
  await closed;
  const [stopped = '', refused = ''] = (await answers).split(/(?<=\})(?=HTTP)/);
  assert.match(stopped, /^HTTP\/1\.1 200 [^]*"status":"stopped"/);
  assert.match(refused, /^HTTP\/1\.1 503 [^]*"error":"shutting_down"/);
});

test('health tells of every node, and is degraded when one is away', async () => {
  await using world = await createApiWorld();
  const health = async (path = '/health'): Promise<Record<string, unknown>> => (await request(world, path)).body;
  assert.equal((await health())['status'], 'degraded');
  await world.addNode('node-1');
  world.clock.now = new Date('2026-01-17T10:00:05.000Z');
  const { version, uptime_seconds, ...rest } = await health('/api/v1/health');
  assert.ok(Number(uptime_seconds) >= 0 && Number(uptime_seconds) < 60, 'measured, whatever the clock says');
  assert.equal(version, '0.0.0-dev');
  const node = { status: 'ready', last_heartbeat: '2026-01-17T10:00:00.000Z', workspaces: 0 };
  assert.deepEqual(rest, {
    status: 'ok',
    timestamp: '2026-01-17T10:00:05.000Z',
    nodes: { 'node-1': node },
  });
  await world.store.transaction((tx) => updateNode(tx, 'node-1', { draining: 1 }));
  assert.deepEqual((await health())['nodes'], { 'node-1': { ...node, status: 'draining' } });
  await world.addNode('node-2');
  assert.equal((await health())['status'], 'ok');
  world.peers.gateway = () => ({ connected: false, version: null });
  assert.equal((await health())['status'], 'degraded');
  world.clock.now = new Date('2026-01-17T10:00:26.000Z');
  assert.deepEqual((await health())['nodes'], {
    'node-1': { ...node, status: 'unreachable' },
    'node-2': { status: 'unreachable', last_heartbeat: '2026-01-17T10:00:05.000Z', workspaces: 0 },
  });
  world.peers.hasHeardOf = (name) => name === 'node-1';
  const statuses = Object.values((await health())['nodes'] as Record<string, { status: string }>);
  assert.deepEqual(
    statuses.map(({ status }) => status),
    ['draining', 'unreachable'],
    'of a node that is heard of, a clock that was put forward says nothing',
  );
});

test('the whole status is for administrators', async () => {
  await using world = await createApiWorld({ env: { NEXUS_PORTS_SSH: '2222-2223' } });
  await world.client().call('createWorkspace', { body: { workspace_name: 'w', repo } });
  world.reconciler.queueLength = () => 3;
  const status = await world.client().call('getStatus');
  assert.deepEqual(status.ports, { ssh: { total: 2, free: 1 }, services: { total: 1000, free: 1000 } });
  assert.deepEqual([status.queue, status.gateway], [3, { connected: true, version: '1.0.0' }]);
  assert.ok(
    status.database.size_bytes > 0 &&
      status.database.path.endsWith('nexus.db') &&
      status.database.schema_version !== '',
  );
  assert.ok(status.disk.free_bytes > 0 && status.disk.total_bytes > status.disk.free_bytes);
  await assert.rejects(world.client('bob').call('getStatus'), { code: 'forbidden', status: 403 });
});

test('nodes are shown, drained, resumed and removed by administrators', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  await world.addNode('node-1');
  const params = { name: 'node-1' };
  const node = await client.call('getNode', { params });
  assert.match(node.fingerprint, /^SHA256:/);
  assert.deepEqual(await client.call('listNodes'), { nodes: [node] });
  assert.equal((await client.call('drainNode', { params })).status, 'draining');
  assert.equal((await client.call('resumeNode', { params })).status, 'ready');
  world.peers.nodeConnected = () => false;
  assert.equal((await client.call('getNode', { params })).status, 'unreachable');
  const { workspace_id } = await client.call('createWorkspace', { body: { workspace_name: 'w', repo } });
  await world.settle(workspace_id);
  world.peers.instancesOn = () => [workspace_id, 'ws-strayxxxxxxx'];
  const { workspaces, unknown_instances } = await client.call('getNode', { params });
  assert.deepEqual([workspaces, unknown_instances], [1, ['ws-strayxxxxxxx']]);
  await assert.rejects(client.call('removeNode', { params }), {
    code: 'node_in_use',
    details: { node: 'node-1', workspaces: 1 },
  });
  await client.call('deleteWorkspace', { params: { id: workspace_id }, query: { force: true } });
  await client.call('removeNode', { params });
  assert.equal(world.asked.at(-1), 'disconnect node-1');
  await world.addNode('node-2');
  await assert.rejects(client.call('getNode', { params }), {
    code: 'not_found',
    message: 'There is no node node-1. Did you mean node-2?',
  });
  await assert.rejects(world.client('bob').call('listNodes'), { code: 'forbidden' });
});

test('a join token lets a node in once, within an hour', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const { name, join_token, expires_at } = await client.call('createJoinToken', { body: { name: 'node-2' } });
  assert.deepEqual([name, expires_at], ['node-2', '2026-01-17T11:00:00.000Z']);
  const use = (): Promise<{ role: string; name: string } | undefined> =>
    world.store.transaction((tx) => useJoinToken(tx, joinTokenHash(join_token)));
  const used = await use();
  assert.deepEqual([used?.role, used?.name], ['agent', 'node-2']);
  assert.equal(await use(), undefined);
  await assert.rejects(client.call('createJoinToken', { body: { name: 'server' } }), {
    message: /server is a name of the server's own/,
  });
  await assert.rejects(client.call('createJoinToken', { body: { name: 'Not A Name' } }), { code: 'invalid_request' });
});

test('metrics are for this machine alone, unless they are public', async () => {
  await using world = await createApiWorld();
  await world.addNode('node-1');
  world.clock.now = new Date('2026-01-17T10:00:03.000Z');
  await request(world, '/health');
  await request(world, '/nothing');
  const get = (headers = {}): Promise<Response> => fetch(`${world.baseUrl}/metrics`, { headers });
  const metrics = await (await get()).text();
  for (const line of [
    'nexus_ports_free{pool="ssh"} 78',
    'nexus_ports_free{pool="services"} 1000',
    'nexus_workspaces{status="running"} 0',
    'nexus_node_last_heartbeat_seconds{node="node-1"} 3',
    'nexus_http_request_seconds_count{method="GET",route="/health",status="200"} 1',
    'nexus_http_request_seconds_count{method="GET",route="none",status="404"} 1',
  ])
    assert.ok(metrics.split('\n').includes(line), line);
  for (const name of [
    'nexus_workspace_creation_seconds',
    'nexus_service_start_seconds',
    'nexus_ssh_connect_seconds',
    'process_cpu_seconds_total',
  ])
    assert.ok(metrics.includes(`# TYPE ${name} `), name);
  assert.equal((await get({ 'x-forwarded-for': '192.0.2.1' })).status, 403);
  assert.equal((await get({ forwarded: 'for=192.0.2.1' })).status, 403);
  await using open = await createApiWorld({ env: { NEXUS_METRICS_PUBLIC: 'true' } });
  assert.equal((await fetch(`${open.baseUrl}/metrics`, { headers: { forwarded: 'for=192.0.2.1' } })).status, 200);
});

type Operation = {
  operationId: string;
  responses: Record<string, unknown>;
  requestBody?: { required: boolean; content: object };
  parameters?: { name: string; in: string; required: boolean }[];
  security?: unknown;
};

test('the OpenAPI document holds every path, parameter, body and error', async () => {
  await using world = await createApiWorld();
  const { body } = await request(world, '/openapi.json');
  assert.equal(body['openapi'], '3.1.0');
  const paths = body['paths'] as Record<string, Record<string, Operation>>;
  const operations = Object.values(paths).flatMap((path) => Object.values(path));
  assert.equal(new Set(operations.map(({ operationId }) => operationId)).size, operations.length);
  for (const [name, { method, path, status }] of Object.entries(endpoints)) {
    const operation = paths[`/api/v1${path.replaceAll(/:(\w+)/g, '{$1}')}`]?.[method.toLowerCase()];
    assert.equal(operation?.operationId, name);
    assert.ok(operation.responses[status]);
  }
  const list = paths['/api/v1/workspaces']?.['get'];
  assert.deepEqual(
    list?.parameters?.map((one) => [one.name, one.in, one.required]),
    [
      ['owner', 'query', false],
      ['status', 'query', false],
      ['limit', 'query', false],
      ['offset', 'query', false],
    ],
  );
  assert.equal(paths['/api/v1/workspaces']?.['post']?.requestBody?.required, true);
  assert.equal(paths['/api/v1/workspaces/{id}/stop']?.['post']?.requestBody?.required, false);
  assert.deepEqual(Object.keys(paths['/api/v1/workspaces/{id}/source']?.['put']?.requestBody?.content ?? {}), [
    'application/octet-stream',
  ]);
  assert.equal(paths['/health']?.['get']?.security, undefined);
  assert.equal('401' in (paths['/health']?.['get']?.responses ?? {}), false);
  const status = paths['/api/v1/workspaces/{id}/status']?.['patch'];
  assert.deepEqual(Object.keys(status?.responses ?? {}).slice(0, 2), ['200', '202']);
  const namesOf = (path: string, method: string): unknown => paths[path]?.[method]?.parameters?.map((one) => one.name);
  assert.deepEqual(namesOf('/api/v1/workspaces/create', 'post'), ['Idempotency-Key']);
  assert.deepEqual(namesOf('/api/v1/workspaces/{id}/events', 'get'), ['id', 'last_event_id', 'Last-Event-ID']);
  assert.deepEqual(namesOf('/api/v1/workspaces/{id}/tunnel', 'get'), ['id', 'port']);
  assert.ok(paths['/api/v1/workspaces/{id}/exec']?.['get']?.responses['101']);
  const references = [...JSON.stringify(body).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) =>
    path.split('/'),
  );
  assert.ok(references.length > 0);
  for (const path of references)
    assert.ok(
      path.reduce<unknown>((value, key) => (value as Record<string, unknown>)[key], body),
      path.join('/'),
    );
  const { schemas } = body['components'] as { schemas: { Error: { properties: { error: { enum: string[] } } } } };
  assert.deepEqual(schemas.Error.properties.error.enum, Object.keys(errorCatalogue));
});
