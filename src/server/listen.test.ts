import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fastify } from 'fastify';
import { serverConfig } from '../contract/server-config.ts';
import { dataDir } from './data-dir.ts';
import { childSpecs } from './children/embedded-children.ts';
import { listen, localUrl } from './listen.ts';

async function occupy(): Promise<{ port: number; [Symbol.dispose](): void }> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, [Symbol.dispose]: () => void server.close() };
}

test('any port is the one of a server that was killed, unless somebody else has it by now', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-listen-'));
  const dir = dataDir(folder);
  const any = { host: '127.0.0.1', port: 0 };
  const first = fastify();
  const port = await listen(first, dir, any);
  await first.close();
  writeFileSync(join(folder, 'server.json'), JSON.stringify({ url: `http://127.0.0.1:${port}`, pid: 1 }));
  const second = fastify();
  assert.equal(await listen(second, dir, any), port);
  const third = fastify();
  assert.notEqual(await listen(third, dir, any), port);
  await Promise.all([second.close(), third.close()]);
  writeFileSync(join(folder, 'server.json'), 'broken');
  const fourth = fastify();
  assert.ok((await listen(fourth, dir, any)) > 0);
  await fourth.close();
  rmSync(folder, { recursive: true });
});

test('a port that was asked for and is taken is an error that names it', async () => {
  using taken = await occupy();
  const app = fastify();
  const attempt = listen(app, dataDir('/nonexistent'), { host: '127.0.0.1', port: taken.port });
  await assert.rejects(attempt, { code: 'port_already_in_use', details: { port: taken.port } });
  await assert.rejects(listen(fastify(), dataDir('/nonexistent'), { host: '192.0.2.1', port: 1 }), {
    code: /EADDRNOTAVAIL|EACCES/,
  });
});

test('where processes of this machine find the server', () => {
  const url = (config: object): string => localUrl(serverConfig.parse(config), 3001);
  assert.equal(url({}), 'http://127.0.0.1:3001');
  assert.equal(url({ listen: { host: '0.0.0.0' } }), 'http://127.0.0.1:3001');
  assert.equal(url({ listen: { host: '::' } }), 'http://[::1]:3001');
  assert.equal(url({ listen: { host: '::1' } }), 'http://[::1]:3001');
  assert.equal(url({ public_host: 'dev.example.org', tls: { cert: 'c', key: 'k' } }), 'https://dev.example.org:3001');
});

test('the processes that a configuration asks for', () => {
  const dir = dataDir('/data');
  const specs = (config: object) => childSpecs(serverConfig.parse(config), dir, 'http://127.0.0.1:3001');
  assert.deepEqual(
    specs({ node: { name: 'big' } }).map(({ name, args }) => [name, args.join(' ')]),
    [
      [
        'gateway',
        'gateway run --server http://127.0.0.1:3001 --state-dir /data/gateway --host 0.0.0.0 --stream-host 127.0.0.1 --stream-port 0',
      ],
      ['big', 'agent start --server http://127.0.0.1:3001 --state-dir /data/agent --name big'],
    ],
  );
  assert.deepEqual(specs({ gateway: { embedded: false }, node: { embedded: false } }), []);
  assert.deepEqual(specs({ tls: { cert: '/cert.pem', key: '/key.pem' } })[0]?.env, {
    NODE_EXTRA_CA_CERTS: '/cert.pem',
  });
});
