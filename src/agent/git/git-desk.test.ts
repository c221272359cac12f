import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { test, type TestContext } from 'node:test';
import type { IncomingMessage } from 'node:http';
import { silentLog } from '../../../test/support/silent-log.ts';
import { createGitDesk, type GitDesk } from './git-desk.ts';

const lent = { host: 'https://github.com', username: 'alice', token: 'gho_x', expires_at: null };
const question = 'protocol=https\nhost=github.com\n';

async function temporaryFolder(context: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-desk-'));
  context.after(() => rm(folder, { recursive: true }));
  return folder;
}

function createDesk(folder: string, rejected: string[] = []): GitDesk {
  return createGitDesk({ folder, onRejected: (id) => rejected.push(id), log: silentLog });
}

async function ask(
  folder: string,
  operation: string,
  attributes = question,
): Promise<{ status: number; body: string }> {
  const asked = request({ socketPath: join(folder, 'git.sock'), path: `/${operation}`, method: 'POST' });
  asked.end(attributes);
  const [response] = (await once(asked, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await text(response) };
}

test('each workspace is answered at its own socket, until it is closed', async (context) => {
  const rejected: string[] = [];
  await using desk = createDesk(await temporaryFolder(context), rejected);
  const [one, two] = await Promise.all([desk.open('ws-one'), desk.open('ws-two')]);
  desk.take([{ ...lent, workspaces: ['ws-one'] }]);
  assert.deepEqual(await ask(one, 'get'), { status: 200, body: 'username=alice\npassword=gho_x\n' });
  assert.equal((await ask(two, 'get')).status, 404);
  assert.deepEqual(await ask(one, 'store'), { status: 200, body: '' });
  assert.match((await ask(one, 'erase', `${question}password=gho_x\n`)).body, /does not accept the token/);
  assert.deepEqual(rejected, ['ws-one']);
  assert.equal((await stat(join(one, 'git.sock'))).mode & 0o777, 0o666);
  await desk.close('ws-one');
  assert.equal(existsSync(one), false);
  await assert.rejects(ask(one, 'get'));
});

test('users of a workspace reach its socket whatever the umask of the agent is', async (context) => {
  const before = process.umask(0o077);
  context.after(() => process.umask(before));
  await using desk = createDesk(await temporaryFolder(context));
  const place = await desk.open('ws-one');
  assert.equal((await stat(place)).mode & 0o777, 0o755);
});

test('who asks before the server has said anything waits for that', async (context) => {
  await using desk = createDesk(await temporaryFolder(context));
  const folder = await desk.open('ws-one');
  const answer = ask(folder, 'get');
  desk.take([{ ...lent, workspaces: ['ws-one'] }]);
  assert.equal((await answer).status, 200);
});

test('an agent that comes back opens what was there, over what a killed one left', async (context) => {
  const folder = await temporaryFolder(context);
  const before = createDesk(folder);
  const place = await before.open('ws-one');
  await using desk = createDesk(folder);
  desk.take([{ ...lent, workspaces: ['ws-one'] }]);
  await desk.reopen();
  assert.equal((await ask(place, 'get')).status, 200);
  await before[Symbol.asyncDispose]();
});

test('a workspace that opens more and more connections, or says more and more, holds up nobody else', async (context) => {
  await using desk = createDesk(await temporaryFolder(context));
  const [greedy, other] = await Promise.all([desk.open('ws-greedy'), desk.open('ws-other')]);
  desk.take([{ ...lent, workspaces: ['ws-other'] }]);
  const sockets = Array.from({ length: 17 }, () => connect(join(greedy, 'git.sock')));
  context.after(() => sockets.forEach((socket) => socket.destroy()));
  const last = sockets.at(-1);
  assert.ok(last);
  await once(last.on('error', () => undefined).resume(), 'close');
  assert.equal((await ask(other, 'get')).status, 200);
  await assert.rejects(ask(other, 'get', 'x'.repeat(100_000)));
});

test('where there can be no socket there is a folder', async (context) => {
  const folder = join(await temporaryFolder(context), 'a'.repeat(120));
  await using desk = createDesk(folder);
  const place = await desk.open('ws-one');
  assert.deepEqual(await readdir(place), []);
});
