/** What an agent that was killed left behind is gone after its successor's start. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';
import { findSocket } from '../../src/agent/providers/lxc/find-socket.ts';
import { createLxcProvider } from '../../src/agent/providers/lxc/lxc-provider.ts';
import { newId } from '../../src/contract/ids.ts';
import { withHostLock } from '../../src/lib/host-lock.ts';
import { until } from '../support/installation.ts';
import { sourceProgram } from '../support/programs.ts';

const skip = process.getuid?.() !== 0 ? 'needs root' : findSocket() === null && 'there is no LXD or Incus here';

async function temporary(): Promise<{ path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'nexus-after-kill-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}

async function emptyInstance(
  name: string,
): Promise<{ isThere(): Promise<boolean>; [Symbol.asyncDispose](): Promise<void> }> {
  await execa('lxc', ['init', '--empty', '--project', 'nexus', '--storage', 'nexus', '--no-profiles', name], {
    stdin: 'ignore',
  });
  return {
    async isThere() {
      const { stdout } = await execa('lxc', [
        'list',
        '--project',
        'nexus',
        '--format',
        'csv',
        '--columns',
        'n',
        `^${name}$`,
      ]);
      return stdout !== '';
    },
    async [Symbol.asyncDispose]() {
      await execa('lxc', ['delete', '--force', '--project', 'nexus', name], { reject: false });
    },
  };
}

test('a base that it was making is removed, one that another process is making is not', { skip }, async () => {
  await using folder = await temporary();
  const [left, replaced, made] = Array.from({ length: 3 }, () => randomBytes(6).toString('hex'));
  await using abandoned = await emptyInstance(`unfinished-${left}`);
  await using outdated = await emptyInstance(`unfinished-old-${replaced}`);
  await using underWay = await emptyInstance(`unfinished-${made}`);
  await withHostLock(`base-${made}`, async () => {
    const openCommandsFolder = join(folder.path, 'open-commands');
    await using _provider = createLxcProvider({ clusterId: 'after-kill', relayCommand: [], openCommandsFolder });
    await until(async () => !(await abandoned.isThere()), 'the abandoned base to go');
    await until(async () => !(await outdated.isThere()), 'the replaced base to go');
    assert.equal(await underWay.isThere(), true);
  });
});

test('the socket that a relay was to join is removed, that of a living agent is not', { skip }, async () => {
  await using folder = await temporary();
  const dead = spawn('true');
  await once(dead, 'exit');
  const [ofDead, ofLiving] = [dead.pid, process.pid].map((pid) => join(tmpdir(), `nexus-relay-${pid}-abcdef`));
  await mkdir(ofDead ?? '');
  await using _living = { [Symbol.asyncDispose]: () => rm(ofLiving ?? '', { recursive: true }) };
  await mkdir(ofLiving ?? '');
  const openCommandsFolder = join(folder.path, 'open-commands');
  await using _provider = createLxcProvider({ clusterId: 'after-kill', relayCommand: [], openCommandsFolder });
  await until(async () => !existsSync(ofDead ?? ''), 'the socket of the dead agent to go');
  assert.equal(existsSync(ofLiving ?? ''), true);
});

test('an interface that an engine left after a start that failed goes with its instance', { skip }, async () => {
  const id = newId('ws');
  const link = `nx${id.slice(-12)}`;
  await using _instance = await emptyInstance(`nexus-${id.slice(3)}`);
  await execa('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', `p${link.slice(3)}`]);
  await using provider = createLxcProvider({ clusterId: 'after-kill', relayCommand: [] });
  await provider.remove(id);
  assert.equal(existsSync(`/sys/class/net/${link}`), false);
  await provider.remove(id);
});

test('a relay ends with its agent, also when nobody says a word', async () => {
  await using folder = await temporary();
  const socket = join(folder.path, 'socket');
  const silent = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const { port } = silent.address() as { port: number };
  // In the agent's place: takes the relay in, says who it is, and is killed.
  const agent = spawn(process.execPath, ['-e', agentScript, '--', socket, ...sourceProgram, 'relay', String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const connected = once(silent, 'connection');
  const [line] = (await once(agent.stdout, 'data')) as [Buffer];
  const relay = Number(line.toString());
  await connected;
  agent.kill('SIGKILL');
  await until(async () => !existsSync(`/proc/${relay}`), 'the relay to end', 20_000);
  silent.close();
});

const agentScript = `
  const { spawn } = require('node:child_process');
  const [socket, program, ...args] = process.argv.slice(1);
  const server = require('node:net').createServer({ allowHalfOpen: true }, () => console.log(relay.pid));
  let relay;
  server.listen(socket, () => {
    relay = spawn(program, args, { stdio: 'ignore', env: { ...process.env, NEXUS_RELAY_SOCKET: socket } });
  });
`;
