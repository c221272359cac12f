import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { isProcessAlive } from '../lib/process-alive.ts';
import { announceServer, dataDir, lockDataDir, prepareDataDir, uploadFile } from './data-dir.ts';

function temporary(): { dir: ReturnType<typeof dataDir>; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-data-'));
  return { dir: dataDir(join(folder, 'data')), [Symbol.dispose]: () => rmSync(folder, { recursive: true }) };
}

test('the folder is for its owner alone', async () => {
  using world = temporary();
  await prepareDataDir(world.dir);
  await prepareDataDir(world.dir);
  assert.equal(statSync(world.dir.path).mode & 0o777, 0o700);
  assert.ok(existsSync(world.dir.logs));
  assert.equal(uploadFile('/data', 'ws-a'), '/data/uploads/ws-a.bundle');
});

test('a second server is refused and told of the first', async () => {
  using world = temporary();
  await prepareDataDir(world.dir);
  const lock = await lockDataDir(world.dir);
  await assert.rejects(lockDataDir(world.dir), {
    code: 'server_already_running',
    details: { data_dir: world.dir.path, pid: process.pid },
  });
  await lock[Symbol.asyncDispose]();
  await using _again = await lockDataDir(world.dir);
});

test('the lock of a dead server is taken over, also when its process id is in use again', async () => {
  using world = temporary();
  await prepareDataDir(world.dir);
  const file = join(world.dir.path, 'server.lock');
  const dead = spawn('true');
  await once(dead, 'exit');
  assert.equal(isProcessAlive(dead.pid ?? 0), false);
  for (const stale of [
    { pid: dead.pid, started: null },
    { pid: process.pid, started: 'another boot 1' },
  ]) {
    writeFileSync(file, JSON.stringify(stale));
    await using _lock = await lockDataDir(world.dir);
    assert.equal((JSON.parse(readFileSync(file, 'utf8')) as { pid: number }).pid, process.pid);
  }
  writeFileSync(file, 'half a li');
  await using _lock = await lockDataDir(world.dir);
});

test('the server is announced as long as it answers', async () => {
  using world = temporary();
  await prepareDataDir(world.dir);
  const announcement = await announceServer(world.dir, { url: 'http://127.0.0.1:3001', pid: 7 });
  const file = join(world.dir.path, 'server.json');
  assert.deepEqual(JSON.parse(readFileSync(file, 'utf8')), { url: 'http://127.0.0.1:3001', pid: 7 });
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await announcement[Symbol.asyncDispose]();
  assert.equal(existsSync(file), false);
});

test(
  'a process that ended and was not asked for its result is not alive',
  { skip: process.platform !== 'linux' && 'needs /proc' },
  async () => {
    // The shell becomes a program that never asks for the result of its child, which ends only then.
    const script = 'cat <&3 & echo $!; exec 3<&-; exec sleep 60';
    const parent = spawn('sh', ['-c', script], { stdio: ['ignore', 'pipe', 'ignore', 'pipe'] });
    const [line] = (await once(parent.stdout ?? parent, 'data')) as [Buffer];
    const pid = Number(String(line).trim());
    while (readFileSync(`/proc/${parent.pid}/comm`, 'utf8') !== 'sleep\n') await setImmediate();
    parent.stdio[3]?.destroy();
    while (isProcessAlive(pid)) await setImmediate();
    assert.ok(existsSync(`/proc/${pid}`));
    parent.kill('SIGKILL');
    await once(parent, 'exit');
  },
);

test('a process of another user is alive', () => {
  assert.equal(isProcessAlive(1), true);
});
