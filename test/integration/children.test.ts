/** The supervision of the gateway and the agent, with processes of a line of JavaScript in their place. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import type { ChildOptions } from '../../src/server/children/child-options.ts';
import { superviseChild, type Child } from '../../src/server/children/supervise-child.ts';
import type { ChildSpec } from '../../src/server/children/find-child.ts';
import { createPeerEvents } from '../../src/server/control/peer-events.ts';
import { isProcessAlive } from '../../src/lib/process-alive.ts';
import { isAlive, until } from '../support/installation.ts';
import { silentLog } from '../support/silent-log.ts';

/** Says who it is in its state file, and lives until it is told to end. */
const program = `
  const fs = require('node:fs');
  const file = process.argv[process.argv.indexOf('--state') + 1];
  process.on('SIGTERM', () => process.argv.includes('--drains') ? fs.writeFileSync(file + '.draining', '') : process.exit(0));
  console.log('token', process.env.NEXUS_JOIN_TOKEN);
  fs.writeFileSync(file + '.new', JSON.stringify({ pid: process.pid }));
  fs.renameSync(file + '.new', file);
  setInterval(() => {}, 1000);
`;

type World = AsyncDisposable & {
  readonly folder: string;
  readonly spec: ChildSpec;
  /** What the hub would know. */
  readonly peer: { version: string | null };
  readonly options: ChildOptions;
  readonly tokens: string[];
  supervise(changes?: Partial<ChildOptions>, more?: readonly string[]): Child;
  /** Whether the supervision waits for it to connect. */
  isListenedTo(): boolean;
  connect(version?: string): void;
  disconnect(): void;
  statePid(): Promise<number>;
};

async function createWorld(role: ChildSpec['role'] = 'agent', extra: readonly string[] = []): Promise<World> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-children-'));
  const stateFile = join(folder, 'state', 'state.json');
  await mkdir(dirname(stateFile));
  const events = createPeerEvents();
  const peer: { version: string | null } = { version: null };
  const tokens: string[] = [];
  const verb = role === 'agent' ? 'start' : 'run';
  const spec: ChildSpec = {
    role,
    name: role,
    stateFile,
    args: [role, verb, '--state', stateFile, '--state-dir', dirname(stateFile), ...extra],
    logFile: join(folder, 'child.log'),
  };
  const options: ChildOptions = {
    programCommand: [process.execPath, '-e', program, '--'],
    version: '1.0.0',
    folder,
    hub: {
      events: {
        listen(listener) {
          listened += 1;
          return events.listen(listener);
        },
      },
      versionOf: () => peer.version,
    },
    newJoinToken: async (asked, name) => {
      tokens.push(`${asked} ${name}`);
      return `token-${tokens.length}`;
    },
    log: silentLog,
    backoff: { firstMs: 1, maxMs: 5 },
    adoptWithinMs: 200,
  };
  let listened = 0;
  const pids = new Set<number>();
  const children: Child[] = [];
  const world: World = {
    folder,
    spec,
    peer,
    options,
    tokens,
    isListenedTo: () => listened > 0,
    supervise(changes = {}, more = []) {
      const child = superviseChild({ ...spec, args: [...spec.args, ...more] }, { ...options, ...changes });
      children.push(child);
      return child;
    },
    connect(version = '1.0.0') {
      peer.version = version;
      events.emit({ type: 'connected', role, name: role, version });
    },
    disconnect() {
      peer.version = null;
      events.emit({ type: 'disconnected', role, name: role });
    },
    async statePid() {
      const { pid } = JSON.parse(await readFile(stateFile, 'utf8')) as { pid: number };
      pids.add(pid);
      return pid;
    },
    async [Symbol.asyncDispose]() {
      await world.statePid().catch(() => undefined);
      for (const child of children) if (child.pid !== null) pids.add(child.pid);
      for (const pid of pids) if (pid > 0 && pid !== process.pid && isAlive(pid)) process.kill(pid, 'SIGKILL');
      await rm(folder, { recursive: true, force: true });
    },
  };
  return world;
}

/** The state file of another process than this one. */
function another(world: World, than: number | null): Promise<void> {
  return until(async () => (await world.statePid()) !== than, 'another process', 20_000);
}

test('a child is started with a token, started again when it dies, and told to end', async () => {
  await using world = await createWorld();
  const child = world.supervise();
  await another(world, null);
  const first = await world.statePid();
  await until(async () => child.pid === first, 'it to be held');
  assert.match(await readFile(world.spec.logFile, 'utf8'), /token token-1/);
  assert.equal((await stat(world.spec.logFile)).mode & 0o777, 0o600);
  process.kill(first, 'SIGKILL');
  await another(world, first);
  assert.deepEqual(world.tokens, ['agent agent', 'agent agent']);
  const second = await world.statePid();
  await child.stop();
  assert.equal(isProcessAlive(second), false);
  assert.equal(
    (JSON.parse(await readFile(join(world.folder, 'agent-process.json'), 'utf8')) as { ending: boolean }).ending,
    true,
  );
});

test('one that runs already and connects is not started twice, and is noticed when it dies', async () => {
  await using world = await createWorld();
  const orphan = spawn(process.execPath, ['-e', program, '--', ...world.spec.args], {
    stdio: 'ignore',
    detached: true,
  });
  await until(async () => (await world.statePid()) === orphan.pid, 'its state file');
  const child = world.supervise({ adoptWithinMs: 20_000 });
  setImmediate(() => world.connect());
  await until(async () => child.pid === orphan.pid, 'it to be taken over');
  assert.deepEqual(world.tokens, []);
  world.disconnect();
  world.connect();
  world.disconnect();
  process.kill(orphan.pid ?? 0, 'SIGKILL');
  await once(orphan, 'exit');
  await another(world, orphan.pid ?? 0);
  assert.equal(world.tokens.length, 1);
  await child.stop();
});

test('one that is connected when the server looks is taken over at once', async () => {
  await using world = await createWorld();
  const orphan = spawn(process.execPath, ['-e', program, '--', ...world.spec.args], {
    stdio: 'ignore',
    detached: true,
  });
  await until(async () => (await world.statePid()) === orphan.pid, 'its state file');
  world.connect();
  const child = world.supervise();
  await until(async () => child.pid === orphan.pid, 'it to be taken over');
  await child.stop();
  assert.equal(isProcessAlive(orphan.pid ?? 0), false);
});

test('one that a killed server started, and that has not said who it is yet, is not started twice', async () => {
  await using world = await createWorld();
  const silent = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)', '--', ...world.spec.args], {
    stdio: 'ignore',
    detached: true,
  });
  const child = world.supervise({ adoptWithinMs: 60_000 });
  await until(async () => world.isListenedTo(), 'the supervision to wait for it');
  world.connect();
  await until(async () => child.pid === silent.pid, 'it to be taken over');
  assert.deepEqual(world.tokens, []);
  const ended = once(silent, 'exit');
  await child.stop();
  await ended;
});

test('one that dies before it connects is not waited for', async () => {
  await using world = await createWorld();
  const orphan = spawn(process.execPath, ['-e', program, '--', ...world.spec.args], {
    stdio: 'ignore',
    detached: true,
  });
  await until(async () => (await world.statePid()) === orphan.pid, 'its state file');
  const child = world.supervise({ adoptWithinMs: 60_000 });
  await until(async () => world.isListenedTo(), 'the supervision to wait for it');
  orphan.kill('SIGKILL');
  await another(world, orphan.pid ?? 0);
  await child.stop();
});

test('one that does not connect is let be, and another is started', async () => {
  await using world = await createWorld();
  const orphan = spawn(process.execPath, ['-e', program, '--', ...world.spec.args], {
    stdio: 'ignore',
    detached: true,
  });
  await until(async () => (await world.statePid()) === orphan.pid, 'its state file');
  const child = world.supervise();
  await another(world, orphan.pid ?? 0);
  assert.equal(isProcessAlive(orphan.pid ?? 0), true);
  await child.stop();
  orphan.kill('SIGKILL');
});

test('a process id that another program has by now is no child', async () => {
  await using world = await createWorld();
  await writeFile(world.spec.stateFile, JSON.stringify({ pid: process.pid }));
  const child = world.supervise({ adoptWithinMs: 60_000 });
  await another(world, process.pid);
  await child.stop();
  await writeFile(world.spec.stateFile, 'not JSON');
  const next = world.supervise({ adoptWithinMs: 60_000 });
  await until(async () => (await world.statePid()) > 0, 'a child');
  await next.stop();
});

const replaced: [string, Partial<ChildOptions>, readonly string[]][] = [
  ['started for another configuration', {}, ['--stream-host', '0.0.0.0']],
  ['of another version, as was noted', { version: '2.0.0' }, []],
];
for (const [name, changes, more] of replaced) {
  test(`one ${name} is replaced`, async () => {
    await using world = await createWorld();
    const before = world.supervise();
    await another(world, null);
    const first = await world.statePid();
    await until(
      async () => before.pid === first && existsSync(join(world.folder, 'agent-process.json')),
      'it to be noted',
    );
    const after = world.supervise(changes, more);
    await until(async () => !isProcessAlive(first), 'the old one to end');
    await before.stop();
    await after.stop();
  });
}

test('one that connects with another version is replaced', async () => {
  await using world = await createWorld();
  const orphan = spawn(process.execPath, ['-e', program, '--', ...world.spec.args], {
    stdio: 'ignore',
    detached: true,
  });
  await until(async () => (await world.statePid()) === orphan.pid, 'its state file');
  world.connect('0.9.0');
  const child = world.supervise();
  await another(world, orphan.pid ?? 0);
  assert.equal(isProcessAlive(orphan.pid ?? 0), false);
  await child.stop();
});

test('a gateway that drains is not waited for, and not taken for one that works', async () => {
  await using world = await createWorld('gateway', ['--drains']);
  const first = world.supervise();
  await another(world, null);
  const draining = await world.statePid();
  await until(async () => first.pid === draining, 'it to be held');
  await first.stop();
  await until(async () => existsSync(`${world.spec.stateFile}.draining`), 'it to drain');
  assert.equal(isProcessAlive(draining), true);
  const second = world.supervise({ adoptWithinMs: 60_000 });
  await another(world, draining);
  assert.equal(isProcessAlive(draining), true);
  await second.stop();
  process.kill(draining, 'SIGKILL');
});

test('a program that cannot be started is tried again and again', async () => {
  await using world = await createWorld();
  const child = world.supervise({ programCommand: ['/nonexistent/nexus'] });
  await until(async () => world.tokens.length >= 3, 'three tries');
  await child.stop();
});

test('a failure before the start is no end of the supervision: it is tried again', async () => {
  await using world = await createWorld();
  let asked = 0;
  const child = world.supervise({
    newJoinToken: async () => {
      asked += 1;
      if (asked < 3) throw new Error('the disk is full');
      return 'token';
    },
  });
  await until(async () => child.pid !== null && (await world.statePid()) === child.pid, 'it to be started after all');
  assert.equal(asked, 3);
  await child.stop();
});

test('a long log is put aside', async () => {
  await using world = await createWorld();
  await writeFile(world.spec.logFile, 'old');
  await truncate(world.spec.logFile, 11 * 2 ** 20);
  const child = world.supervise();
  await another(world, null);
  assert.equal((await stat(`${world.spec.logFile}.1`)).size, 11 * 2 ** 20);
  await child.stop();
});
