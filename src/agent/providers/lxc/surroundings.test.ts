import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { execa } from 'execa';
import {
  proxySettings,
  readSurroundings,
  resolverFile,
  surroundingsFingerprint,
  surroundingsScript,
} from './surroundings.ts';

const resolvers = ['10.83.0.2', '10.83.0.3'];

it('takes a proxy in both cases, and none that is on the loopback', () => {
  assert.deepEqual(proxySettings({ HTTP_PROXY: 'http://proxy:3128', no_proxy: 'localhost,.lan' }), {
    http_proxy: 'http://proxy:3128',
    HTTP_PROXY: 'http://proxy:3128',
    no_proxy: 'localhost,.lan',
    NO_PROXY: 'localhost,.lan',
  });
  for (const loopback of ['http://127.0.0.1:3128', 'http://user:word@localhost:1', 'socks5://[::1]:1080', ''])
    assert.deepEqual(proxySettings({ https_proxy: loopback }), {}, loopback);
});

it('reads the certificates of the node, also those in folders', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-certificates-'));
  await mkdir(join(folder, 'company'));
  await writeFile(join(folder, "our 'own'.crt"), 'A');
  await writeFile(join(folder, 'company/root.crt'), 'B');
  await writeFile(join(folder, 'readme.txt'), 'C');
  const found = await readSurroundings({ resolvers, carry: true, folder, env: {} });
  assert.deepEqual(found.certificates, [
    { name: 'company-root.crt', pem: 'B' },
    { name: 'our--own-.crt', pem: 'A' },
  ]);
  assert.deepEqual(await readSurroundings({ resolvers, carry: false, folder, env: { http_proxy: 'http://p' } }), {
    resolvers,
    certificates: [],
    proxy: {},
  });
  await rm(folder, { recursive: true });
});

it('has no certificates without a folder', async () => {
  const found = await readSurroundings({ resolvers, carry: true, folder: '/no/such/folder', env: {} });
  assert.deepEqual(found.certificates, []);
});

it('has another fingerprint when anything is different', () => {
  const one = { resolvers, certificates: [], proxy: {} };
  assert.equal(surroundingsFingerprint(one), surroundingsFingerprint({ ...one }));
  assert.notEqual(surroundingsFingerprint(one), surroundingsFingerprint({ ...one, resolvers: [] }));
});

it('says where to look for names', () => {
  assert.equal(
    resolverFile({ resolvers, certificates: [], proxy: {} }),
    'nameserver 10.83.0.2\nnameserver 10.83.0.3\noptions timeout:2 attempts:3\n',
  );
});

it('writes a script that a shell understands, and that trusts only where there is something to trust', async () => {
  const plain = surroundingsScript({ resolvers, certificates: [], proxy: {} });
  const full = surroundingsScript({
    resolvers,
    certificates: [{ name: 'root.crt', pem: 'PEM' }],
    proxy: proxySettings({ http_proxy: 'http://proxy:3128' }),
  });
  for (const input of [plain, full]) await execa('sh', ['-n'], { input });
  assert.doesNotMatch(plain, /SSL_CERT_FILE/);
  assert.match(full, /^NODE_EXTRA_CA_CERTS=\/etc\/ssl\/certs\/ca-certificates\.crt$/m);
  assert.match(full, /^HTTP_PROXY=http:\/\/proxy:3128$/m);
});
