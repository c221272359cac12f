/** A company's proxy does not get to see what is for this machine, the token least of all. */
import assert from 'node:assert/strict';
import { execa } from 'execa';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { compiledProgram } from '../support/programs.ts';

async function listening(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test('requests to the own machine do not go through the proxy', async () => {
  const home = await mkdtemp(join(tmpdir(), 'nexus-proxy-'));
  const proxied: string[] = [];
  const asked: string[] = [];
  const proxy = createServer((request, response) => {
    proxied.push(request.url ?? '');
    response.writeHead(502).end();
  }).on('connect', (request, socket) => {
    proxied.push(request.url ?? '');
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
  });
  const server = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.writeHead(503, { 'content-type': 'application/json' }).end('{}');
  });
  try {
    const proxyUrl = await listening(proxy);
    const env = {
      PATH: process.env['PATH'],
      HOME: home,
      NEXUS_SERVER: await listening(server),
      NEXUS_TOKEN: 'nxl_secret',
      HTTP_PROXY: proxyUrl,
      http_proxy: proxyUrl,
      ALL_PROXY: proxyUrl,
      NO_PROXY: 'intranet.example',
    };
    const [command = '', ...args] = compiledProgram;
    await execa(command, [...args, 'workspace', 'list'], { env, extendEnv: false, reject: false });
    assert.ok(asked.length > 0, 'the server was asked');
    assert.deepEqual(proxied, []);
  } finally {
    for (const one of [proxy, server]) {
      one.closeAllConnections();
      one.close();
    }
    await rm(home, { recursive: true, force: true });
  }
});
