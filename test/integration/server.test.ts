/** The whole server: its start, its end, and its gateway as a process of its own. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { pino } from 'pino';
import { WebSocket } from 'ws';
import { createClient, type Client } from '../../src/contract/api-client.ts';
import { controlPath } from '../../src/contract/control-protocol.ts';
import { serverConfig } from '../../src/contract/server-config.ts';
import { runServer } from '../../src/server/run.ts';
import { insertNode } from '../../src/server/store/nodes.ts';
import { openStore } from '../../src/server/store/store.ts';
import { isAlive, until } from '../support/installation.ts';
import { sourceProgram } from '../support/programs.ts';

type Running = {
  readonly url: string;
  client(): Promise<Client>;
  stop(): Promise<void>;
  readonly ended: Promise<void>;
};
type Lab = AsyncDisposable & {
  readonly dataDir: string;
  start(config?: object): Promise<Running>;
  pid(): Promise<number>;
};

const alone = { gateway: { embedded: false }, node: { embedded: false } };
const withGateway = { gateway: { host: '127.0.0.1' }, node: { embedded: false } };

async function createLab(): Promise<Lab> {
  const root = await mkdtemp(join(tmpdir(), 'nexus-server-'));
  const dataDir = join(root, 'data');
  const stops: (() => Promise<void>)[] = [];
  const pids = new Set<number>();
  async function pid(): Promise<number> {
    const { pid } = JSON.parse(await readFile(join(dataDir, 'gateway/gateway.json'), 'utf8')) as { pid: number };
    pids.add(pid);
    return pid;
  }
  return {
    dataDir,
    pid,
    async start(config = alone) {
      const stopping = new AbortController();
      const ready = Promise.withResolvers<string>();
      const ended = runServer({
        config: serverConfig.parse({ data_dir: dataDir, listen: { port: 0 }, ...config }),
        programCommand: sourceProgram,
        version: '0.0.0-dev',
        signal: stopping.signal,
        onReady: ready.resolve,
        log: pino({ level: 'silent' }),
      });
      const stop = (): Promise<void> => {
        stopping.abort();
        return ended;
      };
      const url = await Promise.race([ready.promise, ended.then(() => '')]);
      stops.push(stop);
      return {
        url,
        ended,
        stop,
        client: async () =>
          createClient({ baseUrl: url, token: (await readFile(join(dataDir, 'local-token'), 'utf8')).trim() }),
      };
    },
    async [Symbol.asyncDispose]() {
      for (const stop of stops) await stop();
      await pid().catch(() => undefined);
      for (const one of pids) if (isAlive(one)) process.kill(one, 'SIGKILL');
      await rm(root, { recursive: true, force: true });
    },
  };
}

test('a server answers, says where it is, and leaves nothing at its end but its data', async () => {
  await using lab = await createLab();
  const server = await lab.start();
  assert.equal((await fetch(`${server.url}/health`)).status, 200);
  const announced = JSON.parse(await readFile(join(lab.dataDir, 'server.json'), 'utf8')) as unknown;
  assert.deepEqual(announced, { url: server.url, pid: process.pid });
  assert.equal((await stat(lab.dataDir)).mode & 0o777, 0o700);
  await assert.rejects(lab.start(), {
    code: 'server_already_running',
    details: { data_dir: lab.dataDir, pid: process.pid },
  });
  await server.stop();
  await assert.rejects(fetch(`${server.url}/health`));
  for (const file of ['server.json', 'server.lock']) assert.equal(existsSync(join(lab.dataDir, file)), false, file);
  const again = await lab.start();
  assert.equal((await fetch(`${again.url}/health`)).status, 200);
});

test('a port that is taken leaves the folder free', async () => {
  await using lab = await createLab();
  const server = await lab.start();
  const port = Number(new URL(server.url).port);
  await using other = await createLab();
  await assert.rejects(other.start({ ...alone, listen: { port } }), { code: 'port_already_in_use' });
  await other.start();
});

test('a signal ends it in order', async () => {
  await using lab = await createLab();
  const ready = Promise.withResolvers<void>();
  const config = serverConfig.parse({ data_dir: lab.dataDir, listen: { port: 0 }, log: { level: 'error' }, ...alone });
  const ended = runServer({ config, programCommand: sourceProgram, version: '1', onReady: () => ready.resolve() });
  await ready.promise;
  process.kill(process.pid, 'SIGTERM');
  await ended;
});

/** Without any node, no workspace would be taken. */
async function addNodeThatIsAway(dataDir: string): Promise<void> {
  await using store = await openStore(join(dataDir, 'nexus.db'), { now: () => new Date() });
  const keys = { public_key: Buffer.alloc(32, 1).toString('base64') };
  await store.transaction((tx) =>
    insertNode(tx, { name: 'away', role: 'agent', version: '1.0.0', machine: 'm', ...keys }),
  );
}

test('a request that runs at the end gets its time, with the nodes still connected', async () => {
  await using lab = await createLab();
  const server = await lab.start();
  const client = await server.client();
  await addNodeThatIsAway(lab.dataDir);
  const repo = { owner: 'o', name: 'r', source: 'upload' } as const;
  const { workspace_id } = await client.call('createWorkspace', { body: { workspace_name: 'w', repo } });
  const node = new WebSocket(`${server.url.replace('http', 'ws')}${controlPath}`);
  await once(node, 'open');
  const events: string[] = [];
  const left = once(node, 'close').then(() => events.push('the node is let go'));
  const token = (await readFile(join(lab.dataDir, 'local-token'), 'utf8')).trim();
  const upload = request(`${server.url}/api/v1/workspaces/${workspace_id}/source`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
  });
  const answered = once(upload, 'response').then(([response]) => {
    events.push('the request is answered');
    return (response as IncomingMessage).statusCode;
  });
  upload.write('# v2 git bundle\n');
  await until(async () => (await readdir(join(lab.dataDir, 'uploads'))).length > 0, 'the upload to begin');
  const ended = server.stop();
  await until(async () => (await fetch(`${server.url}/health`)).status === 503, 'new requests to be refused');
  upload.end('the rest');
  assert.equal(await answered, 204);
  await ended;
  await left;
  assert.deepEqual(events, ['the request is answered', 'the node is let go']);
});

test('without a gateway and a node it is up, and says so', async () => {
  await using lab = await createLab();
  const server = await lab.start();
  const client = await server.client();
  const status = await client.call('getStatus');
  assert.deepEqual([status.gateway.connected, status.queue], [false, 0]);
});

test('its gateway outlives it, is taken over, and started again when it dies', async () => {
  await using lab = await createLab();
  const first = await lab.start(withGateway);
  const client = await first.client();
  const connected = (c: Client): Promise<void> =>
    until(async () => (await c.call('getStatus')).gateway.connected, 'the gateway to connect');
  await connected(client);
  const pid = await lab.pid();
  process.kill(pid, 'SIGKILL');
  await until(async () => (await lab.pid()) !== pid, 'another gateway');
  await connected(client);
  const last = await lab.pid();
  await first.stop();
  await until(async () => !isAlive(last), 'the gateway, which has no connections, to end');
});
