import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { it } from 'node:test';
import { sshAnswers } from './ssh-banner.ts';

async function listen(greet: (socket: Socket) => void): Promise<{ port: number; close(): void }> {
  const server = createServer(greet).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as { port: number }).port, close: () => server.close() };
}

it('waits for an SSH server to say its name', async () => {
  let connections = 0;
  const server = await listen((socket) => (++connections < 3 ? socket.destroy() : socket.end('SSH-2.0-test\r\n')));
  assert.equal(await sshAnswers('127.0.0.1', { timeoutMs: 5000, port: server.port }), true);
  assert.equal(connections, 3);
  server.close();
});

it('does not take another server for one, nor none', async () => {
  const server = await listen((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n'));
  assert.equal(await sshAnswers('127.0.0.1', { timeoutMs: 60, port: server.port }), false);
  server.close();
  assert.equal(await sshAnswers('127.0.0.1', { timeoutMs: 60, port: 1 }), false);
});
