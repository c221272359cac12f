import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { startControlServer } from '../../test/support/control-server.ts';
import { silentLog } from '../../test/support/silent-log.ts';
import { newJoinToken } from '../contract/handshake.ts';
import { newStreamKey } from '../contract/stream-mac.ts';
import { loadIdentity } from '../lib/identity.ts';
import { runGateway } from './run.ts';

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-gateway-'));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const common = { host: '127.0.0.1', streamHost: '127.0.0.1', version: 'test', log: silentLog };

test('a stream port that was asked for is taken or it is an error', () =>
  inFolder(async (folder) => {
    const holder = net.createServer();
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    const options = { ...common, serverUrl: 'http://127.0.0.1:1', stateDir: folder, streamPort: port };
    await assert.rejects(runGateway(options), { code: 'port_already_in_use' });
    holder.close();
    await once(holder, 'close');
    const ending = new AbortController();
    const joinToken = newJoinToken((await loadIdentity(join(folder, 'server'))).publicKey);
    const gateway = await runGateway({ ...options, joinToken, signal: ending.signal });
    assert.equal(gateway.streamPort, port);
    ending.abort();
    await gateway.ended;
  }));

test('a stream port of before that another process has now is replaced', () =>
  inFolder(async (folder) => {
    const holder = net.createServer();
    holder.listen(0, '127.0.0.1');
    await once(holder, 'listening');
    const { port } = holder.address() as net.AddressInfo;
    await writeFile(join(folder, 'gateway.json'), JSON.stringify({ pid: process.pid, stream_port: port }));
    const joinToken = newJoinToken((await loadIdentity(join(folder, 'server'))).publicKey);
    const options = { ...common, serverUrl: 'http://127.0.0.1:1', stateDir: folder, streamPort: 0, joinToken };
    const gateway = await runGateway({ ...options, signal: AbortSignal.abort() });
    assert.notEqual(gateway.streamPort, port);
    await gateway.ended;
    assert.equal(JSON.parse(await readFile(join(folder, 'gateway.json'), 'utf8')).stream_port, gateway.streamPort);
    holder.close();
  }));

test('routes that cannot be stored are applied all the same, and a table after the end is not', () =>
  inFolder(async (folder) => {
    const identity = await loadIdentity(join(folder, 'server'));
    await using server = await startControlServer({ identity });
    const stateDir = join(folder, 'gateway');
    await mkdir(join(stateDir, 'routes.json'), { recursive: true });
    const ending = new AbortController();
    const gateway = await runGateway({
      ...common,
      serverUrl: server.url,
      stateDir,
      streamPort: 0,
      joinToken: newJoinToken(identity.publicKey),
      signal: ending.signal,
    });
    await server.next('listening');
    const table = { version: 5, routes: [], stream_keys: { server: newStreamKey() } };
    server.send({ type: 'routes', table });
    assert.deepEqual(await server.next('routes_applied'), { type: 'routes_applied', version: 5, failed: [] });
    server.send({ type: 'forget', ids: [] });
    ending.abort();
    await gateway.ended;
  }));
