/** What others install nexus with: the script, run by a real shell in an empty home, and the downloads behind it. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, readdir, rm, stat, symlink, utimes, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { test } from 'node:test';
import { createApiWorld } from '../support/api-world.ts';
import type { ApiWorld } from '../support/api-world.ts';

const here = `${process.platform}-${process.arch}`;
const program = '#!/bin/sh\necho "nexus 1.2.3"\n';
const sha256 = (content: string): string => createHash('sha256').update(content).digest('hex');

type Home = AsyncDisposable & { readonly path: string };

async function temporaryFolder(): Promise<Home> {
  const path = await mkdtemp(join(tmpdir(), 'nexus-install-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

async function worldWithProgram(): Promise<ApiWorld & { readonly file: string }> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-program-'));
  const file = join(folder, 'nexus');
  await writeFile(file, program);
  const world = await createApiWorld({ ownProgram: file });
  const dispose = async (): Promise<void> => {
    await world[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  };
  return { ...world, file, [Symbol.asyncDispose]: dispose };
}

async function scriptOf(world: ApiWorld, headers: Record<string, string> = {}, path = '/install.sh'): Promise<string> {
  const request = httpRequest(`${world.baseUrl}${path}`, { headers }).end();
  const [response] = (await once(request, 'response')) as [IncomingMessage];
  assert.equal(response.statusCode, 200);
  return text(response);
}

type Ran = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

function runScript(script: string, env: Record<string, string>): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile('/bin/sh', { env: { PATH: process.env['PATH'] ?? '', ...env } }, (error, stdout, stderr) =>
      resolve({ exitCode: error ? Number(error.code) : 0, stdout, stderr }),
    );
    child.stdin?.end(script);
  });
}

/** A folder for PATH in which a command says what the test says, and all else is as it is. */
async function pathWith(folder: string, name: string, body: string): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin, { recursive: true });
  await writeFile(join(bin, name), `#!/bin/sh\n${body}\n`);
  await chmod(join(bin, name), 0o755);
  return `${bin}:${process.env['PATH']}`;
}

test('the script installs the program and names the server, for its owner alone', async () => {
  await using world = await worldWithProgram();
  await using home = await temporaryFolder();
  const script = await scriptOf(world);
  const first = await runScript(script, { HOME: home.path });
  assert.deepEqual([first.exitCode, first.stderr], [0, '']);
  const installed = join(home.path, '.local/bin/nexus');
  assert.equal(await readFile(installed, 'utf8'), program);
  assert.equal((await stat(installed)).mode & 0o777, 0o755);
  const settings = join(home.path, '.nexus/config.yaml');
  const { port } = new URL(world.baseUrl);
  assert.equal(await readFile(settings, 'utf8'), `server: "http://127.0.0.1"\nserver_port: ${port}\n`);
  assert.equal((await stat(settings)).mode & 0o777, 0o600);
  assert.equal((await stat(join(home.path, '.nexus'))).mode & 0o777, 0o700);
  assert.match(first.stdout, /✔ nexus 1\.2\.3 is in .*\/\.local\/bin\/nexus\n/);
  assert.match(first.stdout, /export PATH=".*\.local\/bin:\$PATH"/);
  assert.match(first.stdout, /nexus workspace create OWNER\/REPOSITORY\n$/);

  await writeFile(settings, 'server: mine\n');
  const elsewhere = join(home.path, 'else where');
  const PATH = `${elsewhere}:${process.env['PATH']}`;
  const again = await runScript(script, { HOME: home.path, NEXUS_INSTALL_DIR: elsewhere, PATH });
  assert.match(again.stdout, /config\.yaml is kept as it is/);
  assert.doesNotMatch(again.stdout, /on your PATH/);
  assert.equal(await readFile(settings, 'utf8'), 'server: mine\n');
  assert.deepEqual(await readdir(elsewhere), ['nexus']);
});

test('a download that is not what was announced is not installed', async () => {
  await using world = await worldWithProgram();
  await using home = await temporaryFolder();
  const script = await scriptOf(world);
  await writeFile(world.file, `${program}# changed since\n`);
  const changed = await runScript(script, { HOME: home.path });
  assert.equal(changed.exitCode, 1);
  assert.match(changed.stderr, /✖ Could not install nexus\n {2}What was downloaded is not what the server announced/);
  assert.deepEqual(await readdir(join(home.path, '.local/bin')), []);
  await rm(world.file);
  assert.match((await runScript(script, { HOME: home.path })).stderr, /could not be downloaded/);
  assert.deepEqual(await readdir(home.path), ['.local']);
});

test('a program that does not run here is not installed', async () => {
  await using world = await worldWithProgram();
  await using home = await temporaryFolder();
  await writeFile(world.file, '#!/bin/sh\nexit 3\n');
  const { exitCode, stderr } = await runScript(await scriptOf(world), { HOME: home.path });
  assert.deepEqual([exitCode, /does not run on this machine/.test(stderr)], [1, true]);
  assert.deepEqual(await readdir(join(home.path, '.local/bin')), []);
});

test('it downloads with wget where there is no curl', async (t) => {
  await using home = await temporaryFolder();
  const bin = join(home.path, 'bin');
  await mkdir(bin);
  const needed = 'wget sha256sum cut uname mkdir mktemp chmod mv rm cat sh'.split(' ');
  const found = await Promise.all(needed.map((name) => runScript(`command -v ${name}`, {})));
  if (found.some(({ exitCode }) => exitCode !== 0)) return t.skip('wget or sha256sum is not installed');
  await Promise.all(needed.map((name, index) => symlink(found[index]?.stdout.trim() ?? '', join(bin, name))));
  await using world = await worldWithProgram();
  const script = await scriptOf(world);
  const { exitCode, stdout, stderr } = await runScript(script, { HOME: home.path, PATH: bin });
  assert.deepEqual([exitCode, stderr], [0, '']);
  for (const missing of ['git', 'ssh', 'gh']) assert.match(stdout, new RegExp(`^! ${missing} is missing: `, 'm'));
  await rm(join(bin, 'wget'));
  assert.match((await runScript(script, { HOME: home.path, PATH: bin })).stderr, /Neither curl nor wget/);
});

const machines: readonly [uname: string, said: RegExp][] = [
  ['[ "$1" = -s ] && echo FreeBSD || echo x86_64', /It runs on Linux and macOS, and this is FreeBSD\./],
  ['[ "$1" = -s ] && echo Linux || echo riscv64', /It runs on x64 and arm64, and this is riscv64\./],
  [
    '[ "$1" = -s ] && echo Darwin || echo arm64',
    /has no program for darwin-arm64; .*\n.*\/download\/nexus-darwin-arm64/,
  ],
];
for (const [uname, said] of machines) {
  test(`what it cannot serve, it refuses: ${said.source}`, async () => {
    await using world = await worldWithProgram();
    await using home = await temporaryFolder();
    const PATH = await pathWith(home.path, 'uname', uname);
    const { exitCode, stderr } = await runScript(await scriptOf(world), { HOME: home.path, PATH });
    assert.equal(exitCode, 1);
    assert.match(stderr, said);
    assert.deepEqual(await readdir(home.path), ['bin']);
  });
}

test('a home that is not there is told', async () => {
  await using world = await worldWithProgram();
  const { exitCode, stderr } = await runScript(await scriptOf(world), {});
  assert.deepEqual([exitCode, /HOME is not set/.test(stderr)], [1, true]);
});

test('the address is the one that was asked, and never a command', async () => {
  await using world = await worldWithProgram();
  assert.match(
    await scriptOf(world, { host: 'nexus.example.com:8443' }),
    /^server='http:\/\/nexus\.example\.com:8443'$/m,
  );
  const proxied = await scriptOf(world, { host: 'nexus.example.com', 'x-forwarded-proto': 'https' });
  assert.match(proxied, /^server='https:\/\/nexus\.example\.com'$/m);
  assert.match(proxied, /^server_port='443'$/m);
  for (const host of ["x';touch injected;'", '$(touch injected)', '`id`', 'evil"b', 'evil\\']) {
    const script = await scriptOf(world, { host }, '/api/v1/install-script');
    assert.match(script, /^server='http:\/\/localhost:\d+'$/m);
    assert.equal(script.includes(host), false);
  }
});

test('a download has its length and its hash, and is not sent twice', async () => {
  await using world = await worldWithProgram();
  const response = await fetch(`${world.baseUrl}/download/nexus-${here}`);
  assert.equal(await response.text(), program);
  const etag = `"${sha256(program)}"`;
  assert.deepEqual(
    ['content-length', 'content-type', 'etag'].map((name) => response.headers.get(name)),
    [String(program.length), 'application/octet-stream', etag],
  );
  const again = await fetch(response.url, { headers: { 'if-none-match': etag } });
  assert.deepEqual([again.status, await again.text()], [304, '']);
  const head = await fetch(response.url, { method: 'HEAD' });
  assert.deepEqual([head.status, head.headers.get('etag')], [200, etag]);
  await writeFile(world.file, '#!/bin/sh\necho 2\n');
  await utimes(world.file, 1, 1);
  assert.equal((await fetch(response.url)).headers.get('etag'), `"${sha256('#!/bin/sh\necho 2\n')}"`);
});

test('what an administrator put there is given; what is not there, or no program, is not found', async () => {
  await using world = await createApiWorld();
  const get = (file: string): Promise<Response> => fetch(`${world.baseUrl}/download/${file}`);
  const missing = await get(`nexus-${here}`);
  const { error, message, hint } = (await missing.json()) as Record<string, string>;
  assert.deepEqual([missing.status, error, message], [404, 'not_found', `There is no program nexus-${here}.`]);
  assert.match(hint ?? '', /^make build-all && install -D /);
  assert.match(await scriptOf(world), /linux-x64\) echo '' ;;/);

  const downloads = join(world.dataDir, 'downloads');
  await mkdir(join(downloads, 'nexus-linux-arm64'), { recursive: true });
  await writeFile(join(downloads, 'nexus-darwin-x64'), '');
  await writeFile(join(downloads, 'nexus-darwin-arm64'), 'for macOS');
  assert.equal(await (await get('nexus-darwin-arm64')).text(), 'for macOS');
  assert.match(await scriptOf(world), new RegExp(`darwin-arm64\\) echo '${sha256('for macOS')}' ;;`));
  for (const file of ['nexus-linux-arm64', 'nexus-darwin-x64', 'nexus-win32-x64', '..%2fnexus.db', 'nexus.db'])
    assert.equal((await get(file)).status, 404, file);
});

test('a download that cannot be read is a fault, and no missing one', async () => {
  await using world = await createApiWorld();
  const file = join(world.dataDir, 'downloads', 'nexus-darwin-x64');
  await mkdir(join(world.dataDir, 'downloads'));
  await symlink(file, file);
  assert.equal((await fetch(`${world.baseUrl}/download/nexus-darwin-x64`)).status, 500);
});

test('the description of the API says what they answer, on every path', async () => {
  await using world = await createApiWorld();
  const { paths } = (await (await fetch(`${world.baseUrl}/openapi.json`)).json()) as {
    paths: Record<string, { get: { responses: { 200: { content: object } }; operationId: string } }>;
  };
  const typesAt = (path: string): string[] => Object.keys(paths[path]?.get.responses[200].content ?? {});
  for (const path of ['/install.sh', '/api/v1/install-script']) assert.deepEqual(typesAt(path), ['text/x-shellscript']);
  assert.deepEqual(typesAt('/download/{file}'), ['application/octet-stream']);
  assert.equal(paths['/install.sh']?.get.operationId, 'getInstallScriptAtInstallSh');
});
