import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { findServer, readLocalServer, serverUrl } from './find-server.ts';

const none = { dataDir: '/var/lib/nexus', url: null, token: null };
const local = { dataDir: '/var/lib/nexus', url: 'http://127.0.0.1:4000', token: 'local' };

const cases: readonly [name: string, ...Parameters<typeof findServer>, baseUrl: string, token: string | null][] = [
  ['nothing is known', {}, {}, none, 'http://127.0.0.1:3001', null],
  ['a local server', {}, {}, local, 'http://127.0.0.1:4000', 'local'],
  ['the file', {}, { server: 'nexus.example.com' }, local, 'http://nexus.example.com:3001', null],
  [
    'the file with a port',
    {},
    { server: 'nexus.example.com', server_port: 80 },
    none,
    'http://nexus.example.com',
    null,
  ],
  ['a port that is the usual one', { NEXUS_SERVER: 'a:80' }, {}, none, 'http://a', null],
  ['a port alone', {}, { server_port: 4000 }, local, 'http://127.0.0.1:4000', 'local'],
  [
    'the environment over the file',
    { NEXUS_SERVER: 'https://a.example' },
    { server: 'b', server_port: 1 },
    local,
    'https://a.example',
    null,
  ],
  ['host and port of the environment', { NEXUS_SERVER: 'a', NEXUS_SERVER_PORT: '99' }, {}, none, 'http://a:99', null],
  ['a port of the environment alone', { NEXUS_SERVER_PORT: '4000' }, {}, local, 'http://127.0.0.1:4000', 'local'],
  ['a token of the environment', { NEXUS_TOKEN: 't' }, {}, local, 'http://127.0.0.1:4000', 't'],
  ['the local server by another name', { NEXUS_SERVER: 'localhost:4000' }, {}, local, 'http://localhost:4000', 'local'],
  ['another server of this machine', { NEXUS_SERVER: 'localhost:4001' }, {}, local, 'http://localhost:4001', null],
  ['another protocol', { NEXUS_SERVER: 'https://localhost:4000' }, {}, local, 'https://localhost:4000', null],
];
for (const [name, env, config, server, baseUrl, token] of cases) {
  test(`which server and token: ${name}`, () => {
    const found = findServer(env, config, server);
    assert.deepEqual([found.baseUrl, found.token], [baseUrl, token]);
  });
}

const bad: readonly [text: string, port: string | number | undefined][] = [
  ['http://', undefined],
  ['a', '0'],
  ['a', '70000'],
  ['a', 'x'],
];
for (const [text, port] of bad)
  test(`no server: ${text} ${port}`, () => assert.throws(() => serverUrl(text, port), { exitCode: 2 }));

describe('a server of this machine', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'nexus-data-'));
  });
  after(() => rm(folder, { recursive: true }));

  test('a server of this machine tells where it is', async () => {
    const env = { NEXUS_DATA_DIR: folder };
    assert.deepEqual(await readLocalServer(env), { dataDir: folder, url: null, token: null });
    await writeFile(join(folder, 'local-token'), 'secret\n');
    for (const [text, url] of [
      ['{"url":"http://127.0.0.1:3001/","pid":1}', 'http://127.0.0.1:3001'],
      ['{"pid":1}', null],
      ['{', null],
    ] as const) {
      await writeFile(join(folder, 'server.json'), text);
      assert.deepEqual(await readLocalServer(env), { dataDir: folder, url, token: 'secret' });
    }
    assert.equal((await readLocalServer({})).dataDir, '/var/lib/nexus');
  });
});
