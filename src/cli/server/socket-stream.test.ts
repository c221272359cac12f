import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { WebSocket, WebSocketServer } from 'ws';
import { NexusError } from '../../contract/errors.ts';
import { streamOfSocket } from './socket-stream.ts';

/** Both ends of a connection: ours as a stream, the server's as it is. */
async function connected() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const socket = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [[far]] = (await Promise.all([once(server, 'connection'), once(socket, 'open')])) as unknown as [[WebSocket]];
  return {
    far,
    socket,
    stream: streamOfSocket(socket),
    [Symbol.dispose]() {
      far.terminate();
      server.close();
    },
  };
}

test('bytes go both ways, and the end of the connection is the end of the stream', async () => {
  using ends = await connected();
  ends.far.on('message', (data: Buffer) => {
    ends.far.send(data);
    ends.far.close();
  });
  ends.stream.write('hello');
  assert.equal(await text(ends.stream), 'hello');
});

test('a slow reader holds the sender up, and gets everything', async () => {
  using ends = await connected();
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let count = 0; count < 64; count++) ends.far.send(chunk);
  await once(ends.stream, 'readable');
  ends.far.close();
  assert.equal((await text(ends.stream)).length, 64 * chunk.length);
});

test('a slow receiver holds the writer up', async () => {
  using ends = await connected();
  const total = 32 * 1024 * 1024;
  let received = 0;
  ends.far.pause();
  ends.far.on('message', (data: Buffer) => {
    received += data.length;
    if (received === total) ends.far.close();
  });
  ends.stream.write(Buffer.alloc(total));
  const next = once(ends.stream, 'drain');
  ends.far.resume();
  await next;
  ends.stream.resume();
  await once(ends.stream, 'end');
  assert.equal(received, total);
});

const messages: readonly [message: string, code: string, reason: RegExp][] = [
  [
    JSON.stringify(new NexusError('node_unreachable', { node: 'n' }).toBody()),
    'node_unreachable',
    /The node n does not answer/,
  ],
  ['{"error":1}', 'stream_failed', /the server said \{"error":1\}/],
  ['no JSON', 'stream_failed', /the server said no JSON/],
];
for (const [message, code, reason] of messages) {
  test(`a text message is a failure: ${message}`, async () => {
    using ends = await connected();
    ends.far.send(message);
    const [error] = (await once(ends.stream, 'error')) as [NexusError];
    assert.equal(error.code, code);
    assert.match(error.message, reason);
  });
}

test('a connection that breaks is a failure, and takes nothing more', async () => {
  using ends = await connected();
  const failed = once(ends.stream, 'error');
  ends.socket.emit('error', new Error('reset'));
  const [error] = (await failed) as [NexusError];
  assert.match(error.message, /reset/);

  using others = await connected();
  others.far.terminate();
  await once(others.socket, 'close');
  const refused = once(others.stream, 'error');
  others.stream.write('x');
  const [closed] = (await refused) as [NexusError];
  assert.match(closed.message, /the connection is closed/);
});

test('a stream that is destroyed closes the connection', async () => {
  using ends = await connected();
  ends.stream.end();
  ends.stream.destroy();
  await once(ends.far, 'close');
});
