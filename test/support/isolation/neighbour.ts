/** Another machine in a network of the host's own, which also answers as a cloud's metadata service does. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { execa } from 'execa';

/** TEST-NET-2 of RFC 5737. */
const host = '198.51.100.1';
export const neighbourAddress = '198.51.100.7';
export const metadataAddress = '169.254.169.254';
export const neighbourPort = 7080;

export type Neighbour = {
  /** Who connected since, by address. */
  readonly visitors: string[];
  [Symbol.asyncDispose](): Promise<void>;
};

const listener = `
require('node:net').createServer((socket) => {
  console.log(socket.remoteAddress);
  socket.on('error', () => {}).end('hello');
}).listen(${neighbourPort}, '0.0.0.0', () => console.log('ready'));`;

export async function createNeighbour(): Promise<Neighbour> {
  const space = `nexus-test-${process.pid}`;
  const link = `lan${process.pid}`;
  const ip = (...args: string[]) => execa('ip', args);
  await ip('netns', 'add', space);
  try {
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', space);
    await ip('address', 'add', `${host}/24`, 'dev', link);
    await ip('link', 'set', link, 'up');
    for (const command of [
      ['address', 'add', `${neighbourAddress}/24`, 'dev', 'eth0'],
      ['address', 'add', `${metadataAddress}/32`, 'dev', 'eth0'],
      ['link', 'set', 'eth0', 'up'],
      ['route', 'add', 'default', 'via', host],
    ])
      await ip('-n', space, ...command);
    await ip('route', 'add', `${metadataAddress}/32`, 'dev', link);
    const child = spawn('ip', ['netns', 'exec', space, process.execPath, '-e', listener], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const visitors: string[] = [];
    await once(child.stdout, 'data');
    child.stdout.on('data', (data: Buffer) => visitors.push(...data.toString().split('\n').filter(Boolean)));
    return {
      visitors,
      async [Symbol.asyncDispose]() {
        const ended = once(child, 'exit');
        child.kill();
        await ended;
        await ip('netns', 'delete', space);
      },
    };
  } catch (thrown) {
    await ip('netns', 'delete', space);
    throw thrown;
  }
}
