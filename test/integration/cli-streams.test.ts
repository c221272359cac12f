/** Commands that carry bytes: exec, logs, port, and ssh's proxy, over the real API's WebSockets. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { duplexPair, PassThrough } from 'node:stream';
import { test } from 'node:test';
import { NexusError } from '../../src/contract/errors.ts';
import type { StreamRequest } from '../../src/contract/stream-protocol.ts';
import { createCliWorld } from '../support/cli-world.ts';
import type { CliWorld } from '../support/cli-world.ts';
import { answerStreams, runFakeCommand, shoutingPort } from '../support/fake-workspace.ts';

type World = CliWorld & { readonly requests: StreamRequest[]; readonly id: string };

async function worldWithShop(logs = 'one\ntwo\n'): Promise<World> {
  const world = await createCliWorld();
  const { api } = world;
  const services = [{ name: 'web', command: 'npm start', port: 3000 }];
  const { workspace_id } = await api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'o', name: 'r' }, services } });
  await api.settle(workspace_id);
  const requests: StreamRequest[] = [];
  api.openStream = answerStreams(requests, (request) => {
    if (request.kind === 'exec') return runFakeCommand(request);
    if (request.kind === 'tcp') return shoutingPort();
    const stream = new PassThrough();
    if (request.kind === 'logs' && request.follow) stream.write(logs);
    else stream.end(logs);
    return stream;
  });
  return { ...world, requests, id: workspace_id, [Symbol.asyncDispose]: () => world[Symbol.asyncDispose]() };
}

function run(world: World, args: readonly string[], options: Parameters<CliWorld['run']>[1] = {}) {
  return world.run(['workspace', ...args], options);
}

test('a command’s output, error output and exit code are its own', async () => {
  await using world = await worldWithShop();
  const echo = await run(world, ['exec', 'shop', '--', 'echo', 'a', '--b']);
  assert.deepEqual([echo.exitCode, echo.stdout, echo.stderr], [0, 'a --b\n', '']);
  const failed = await run(world, ['exec', '--', 'fail']);
  assert.deepEqual([failed.exitCode, failed.stdout, failed.stderr], [3, '', 'it failed\n']);
  assert.equal((await run(world, ['exec', 'shop', 'echo', 'no', 'dashes'])).stdout, 'no dashes\n');
  const asJson = await run(world, ['exec', 'shop', '--json', '--', 'fail']);
  assert.equal(asJson.exitCode, failed.exitCode);
  assert.deepEqual(JSON.parse(asJson.stdout), {
    exit_code: failed.exitCode,
    stdout: failed.stdout,
    stderr: failed.stderr,
  });
});

test('input is given when it is asked for', async () => {
  await using world = await worldWithShop();
  const given = await run(world, ['exec', 'shop', '--stdin', '--', 'cat'], { input: 'x'.repeat(200_000) });
  assert.equal(given.stdout.length, 200_000);
  assert.equal((await run(world, ['exec', 'shop', '--', 'cat'], { input: 'not for it' })).stdout, '');
});

test('a terminal has a size', async () => {
  await using world = await worldWithShop();
  const result = await run(world, ['exec', 'shop', '--tty', '--', 'size'], {
    input: 'done',
    terminal: 100,
    env: { TERM: 'vt100' },
  });
  assert.deepEqual([result.exitCode, result.stdout], [0, '80x24 vt100\n']);
});

test('the agent’s failure and a lost connection are told', async () => {
  await using world = await worldWithShop();
  const refused = await run(world, ['exec', 'shop', '--', 'refuse']);
  assert.equal(refused.exitCode, 1);
  assert.match(refused.stderr, /✖ Could not run refuse in shop\n {2}No connection into the workspace: no such user\./);
  for (const command of ['vanish', 'tear']) {
    const lost = await run(world, ['exec', 'shop', '--', command]);
    assert.equal(lost.exitCode, 1);
    assert.match(
      lost.stderr,
      /✖ Lost touch with the command\n.*\n {2}Whether it still runs, .*\n {2}→ nexus server status/,
    );
  }
  const babbled = await run(world, ['exec', 'shop', '--', 'babble']);
  assert.equal(babbled.exitCode, 1);
  assert.match(babbled.stderr, /No connection into the workspace: the exit code of the command makes no sense/);
  world.api.openStream = () => Promise.reject(new NexusError('node_unreachable', { node: 'node-1' }));
  assert.match(
    (await run(world, ['exec', 'shop', '--', 'echo'])).stderr,
    /The node node-1 does not answer\.\n {2}→ nexus node list/,
  );
});

test('Ctrl-C goes to the command', async () => {
  await using world = await worldWithShop();
  const interrupt = new AbortController();
  const result = await run(world, ['exec', 'shop', '--', 'wait'], { interrupt, onOutput: () => interrupt.abort() });
  assert.deepEqual([result.exitCode, result.stdout], [130, 'waiting\n']);
});

test('logs are printed, as lines or as JSON', async () => {
  await using world = await worldWithShop();
  assert.equal((await run(world, ['logs', 'shop', '--lines', '7'])).stdout, 'one\ntwo\n');
  assert.deepEqual(JSON.parse((await run(world, ['logs', 'shop', 'web', '--json'])).stdout), ['one', 'two']);
  await run(world, ['logs', '--service', 'pre_start']);
  assert.deepEqual(
    world.requests.map((request) => (request.kind === 'logs' ? [request.source, request.lines] : [])),
    [
      [undefined, 7],
      ['web', 100],
      ['pre_start', 100],
    ],
  );
  const wrong = await run(world, ['logs', 'shop', 'wbe']);
  assert.equal(wrong.exitCode, 5);
  assert.match(wrong.stderr, /There is no service wbe\. Did you mean web\?\n {2}→ nexus workspace services shop\n/);
});

test('logs are followed until Ctrl-C', async () => {
  await using world = await worldWithShop();
  const interrupt = new AbortController();
  const onOutput = (text: string): void => {
    if (text.includes('two')) interrupt.abort();
  };
  const followed = await run(world, ['logs', 'shop', '--follow'], { interrupt, onOutput });
  assert.deepEqual([followed.exitCode, followed.stdout], [0, 'one\ntwo\n'], followed.stderr);
});

test('logs that cannot be followed say why', async () => {
  await using world = await worldWithShop();
  world.api.openStream = () => Promise.reject(new NexusError('node_unreachable', { node: 'node-1' }));
  const failed = await run(world, ['logs', 'shop', '--follow']);
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /The node node-1 does not answer/);
});

/** What the forwarded port answers. */
async function ask(port: number, text: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  socket.write(text);
  const [answer] = (await once(socket, 'data')) as [Buffer];
  socket.destroy();
  return answer.toString();
}

/** `nexus workspace port 5432:0`, when it listens. */
async function forward(world: World) {
  const interrupt = new AbortController();
  const ready = Promise.withResolvers<number>();
  const onOutput = (text: string): void => {
    const port = /^127\.0\.0\.1:(\d+) is port 5432 of shop/.exec(text)?.[1];
    if (port) ready.resolve(Number(port));
  };
  const forwarded = run(world, ['port', '5432:0'], { interrupt, onOutput });
  return { interrupt, forwarded, port: await ready.promise };
}

async function readAll(socket: Socket): Promise<string> {
  let text = '';
  for await (const chunk of socket) text += String(chunk);
  return text;
}

test('a connection waits for a node that is away, and what it said meanwhile is said once', async () => {
  await using world = await worldWithShop();
  const { interrupt, forwarded, port } = await forward(world);
  const { openStream } = world.api;
  const away = Promise.withResolvers<void>();
  let tries = 0;
  world.api.openStream = async () => {
    tries += 1;
    if (tries === 3) away.resolve();
    throw new NexusError('node_unreachable', { node: 'node-1' });
  };
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  socket.end('are you there?');
  await away.promise;
  world.api.openStream = openStream;
  assert.equal(await readAll(socket), 'ARE YOU THERE?');
  interrupt.abort();
  const { exitCode, stderr } = await forwarded;
  assert.equal(exitCode, 0);
  assert.equal(
    stderr,
    '! The node node-1 does not answer. New connections wait until it is back.\n! The connection is back.\n',
  );
});

test('all of a long answer gets through a forwarded port, also to a slow reader', async () => {
  await using world = await worldWithShop();
  const { interrupt, forwarded, port } = await forward(world);
  const answer = Buffer.alloc(20_000_000, 'x');
  world.api.openStream = () => {
    const [near, far] = duplexPair();
    far.resume().end(answer);
    return Promise.resolve(near);
  };
  const socket = connect(port, '127.0.0.1');
  let length = 0;
  for await (const chunk of socket) {
    length += (chunk as Buffer).length;
    await new Promise((resolve) => setImmediate(resolve));
  }
  assert.equal(length, answer.length);
  interrupt.abort();
  await forwarded;
});

test('a port of a workspace that is deleted is forwarded no more', async () => {
  await using world = await worldWithShop();
  const { forwarded, port } = await forward(world);
  world.api.openStream = () => Promise.reject(new NexusError('not_found', { kind: 'workspace', name: 'shop' }));
  connect(port, '127.0.0.1').on('error', () => undefined);
  const { exitCode, stderr } = await forwarded;
  assert.equal(exitCode, 5);
  assert.match(stderr, /✖ Could not forward port 5432 of .*\n {2}There is no workspace shop/);
});

test('a port is forwarded until Ctrl-C', async () => {
  await using world = await worldWithShop();
  const { interrupt, forwarded, port } = await forward(world);
  assert.deepEqual(await Promise.all([ask(port, 'one'), ask(port, 'two')]), ['ONE', 'TWO']);
  assert.deepEqual(world.requests[0], { kind: 'tcp', workspace_id: world.id, port: 5432 });
  world.api.openStream = () => Promise.reject(new NexusError('stream_failed', { reason: 'nothing listens' }));
  const refused = connect(port, '127.0.0.1');
  await once(refused, 'close');
  const held = connect(port, '127.0.0.1');
  await once(held, 'connect');
  interrupt.abort();
  const { exitCode, stderr } = await forwarded;
  assert.equal(exitCode, 0);
  assert.match(stderr, /^! No connection into the workspace: nothing listens\.$/m);
});

test('a port of this machine that is taken is a conflict', async () => {
  await using world = await worldWithShop();
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const failed = await run(world, ['port', 'shop', `3000:${port}`]);
  server.close();
  assert.equal(failed.exitCode, 6);
  assert.match(
    failed.stderr,
    new RegExp(
      `✖ Could not forward port 3000 of shop\\n {2}Port ${port} of this machine is in use.*\\n {2}→ nexus workspace port shop 3000:0`,
    ),
  );
});

test('ssh’s proxy carries the bytes of port 22', async () => {
  await using world = await worldWithShop();
  const result = await world.run(['ssh', '--proxy', world.id], { input: 'ssh-2.0-test' });
  assert.deepEqual([result.exitCode, result.stdout], [0, 'SSH-2.0-TEST'], result.stderr);
  assert.deepEqual(world.requests, [{ kind: 'tcp', workspace_id: world.id, port: 22 }]);
  const byName = await world.spawn(['ssh', '--proxy', 'shop'], { input: 'x' });
  assert.deepEqual([byName.exitCode, byName.stdout], [0, 'X'], byName.stderr);
  world.api.openStream = () => Promise.reject(new NexusError('stream_failed', { reason: 'nothing listens' }));
  const failed = await world.run(['ssh', '--proxy', world.id], { input: 'x' });
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /nothing listens/);
});
