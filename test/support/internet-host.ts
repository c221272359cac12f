/**
 * A host of the internet, as far as workspaces can tell: its address is reached through a router (addresses of RFC 5737 and RFC 2544,
 * in a network namespace of its own), and what comes to its ports goes to ports of this process.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, connect, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';

export const internetAddress = '203.0.113.7';
const [router, own] = ['198.18.200.1', '198.18.200.2'];

/** Unix sockets lead out of the namespace. */
const forwarder = `
const { connect, createServer } = require('node:net');
const [folder, ...ports] = process.argv.slice(1);
let waiting = ports.length;
for (const port of ports) createServer((outside) => {
  const inside = connect(folder + '/' + port);
  for (const [from, to] of [[outside, inside], [inside, outside]]) from.on('error', () => to.destroy()).pipe(to);
}).listen(Number(port), '${internetAddress}', () => (waiting -= 1) || console.log('ready'));`;

/** @param ports its own to those of this process: `{ 443: 8443 }` */
export async function createInternetHost(ports: Readonly<Record<number, number>>): Promise<AsyncDisposable> {
  const cleanup = new AsyncDisposableStack();
  const space = `nexus-internet-${process.pid}`;
  const link = `inet${process.pid}`;
  const ip = (...args: string[]) => execa('ip', args);
  try {
    const folder = await mkdtemp(join(tmpdir(), 'nexus-internet-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    for (const [port, target] of Object.entries(ports)) cleanup.use(await listenOn(join(folder, port), target));
    await ip('netns', 'add', space);
    cleanup.defer(async () => void (await ip('netns', 'delete', space)));
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
    await ip('address', 'add', `${router}/30`, 'dev', link);
    await ip('link', 'set', link, 'up');
    for (const command of [
      ['address', 'add', `${own}/30`, 'dev', 'eth0'],
      ['address', 'add', `${internetAddress}/32`, 'dev', 'lo'],
      ['link', 'set', 'lo', 'up'],
      ['link', 'set', 'eth0', 'up'],
      ['route', 'add', 'default', 'via', router],
    ])
      await ip('-n', space, ...command);
    await ip('route', 'add', `${internetAddress}/32`, 'via', own);
    const child = spawn(
      'ip',
      ['netns', 'exec', space, process.execPath, '-e', forwarder, folder, ...Object.keys(ports)],
      {
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    );
    cleanup.defer(() => end(child));
    await once(child.stdout, 'data');
  } catch (thrown) {
    await cleanup.disposeAsync();
    throw thrown;
  }
  return cleanup;
}

async function listenOn(path: string, port: number): Promise<AsyncDisposable> {
  const server: Server = createServer((from) => {
    const to = connect(port, '127.0.0.1');
    from.on('error', () => to.destroy()).pipe(to);
    to.on('error', () => from.destroy()).pipe(from);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    async [Symbol.asyncDispose]() {
      server.close();
    },
  };
}

async function end(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit');
  child.kill();
  await ended;
}
