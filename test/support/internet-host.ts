/**
 * A host of the internet, as far as workspaces can tell: its address is reached through a router (addresses of RFC 5737 and RFC 2544,
 * in a network namespace of its own), and what comes to its port 443 goes to a port of this process.
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
createServer((outside) => {
  const inside = connect(process.argv[1]);
  for (const [from, to] of [[outside, inside], [inside, outside]]) from.on('error', () => to.destroy()).pipe(to);
}).listen(443, '${internetAddress}', () => console.log('ready'));`;

export async function createInternetHost(): Promise<AsyncDisposable & { forwardTo(port: number): void }> {
  const cleanup = new AsyncDisposableStack();
  const space = `nexus-internet-${process.pid}`;
  const link = `inet${process.pid}`;
  const ip = (...args: string[]) => execa('ip', args);
  let target = 0;
  try {
    const folder = await mkdtemp(join(tmpdir(), 'nexus-internet-'));
    cleanup.defer(() => rm(folder, { recursive: true, force: true }));
    const bridge = cleanup.use(await listenOn(join(folder, 'bridge'), () => target));
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
    const child = spawn('ip', ['netns', 'exec', space, process.execPath, '-e', forwarder, bridge.path], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    cleanup.defer(() => end(child));
    await once(child.stdout, 'data');
  } catch (thrown) {
    await cleanup.disposeAsync();
    throw thrown;
  }
  return {
    forwardTo(port) {
      target = port;
    },
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}

async function listenOn(path: string, port: () => number): Promise<AsyncDisposable & { readonly path: string }> {
  const server: Server = createServer((from) => {
    const to = connect(port(), '127.0.0.1');
    from.on('error', () => to.destroy()).pipe(to);
    to.on('error', () => from.destroy()).pipe(from);
  });
  server.listen(path);
  await once(server, 'listening');
  return {
    path,
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
