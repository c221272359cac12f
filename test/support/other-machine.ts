/**
 * A second machine, as far as Nexus can tell: a network namespace with an address of RFC 2544 and a machine id of its
 * own. Programs in it share the disk with this one.
 */
import { randomBytes } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';

export type OtherMachine = AsyncDisposable & {
  /** By which this machine reaches it. */
  readonly address: string;
  /** Program and arguments that run what follows them there. */
  readonly prefix: readonly string[];
};

const [here, there] = ['198.18.201.1', '198.18.201.2'];

export async function createOtherMachine(): Promise<OtherMachine> {
  const cleanup = new AsyncDisposableStack();
  const name = `nexus-other-${process.pid}`;
  const link = `other${process.pid}`;
  const ip = (...args: string[]) => execa('ip', args);
  try {
    // `ip netns exec` puts these files in the place of those in /etc.
    const files = join('/etc/netns', name);
    await mkdir(files, { recursive: true });
    cleanup.defer(() => rm(files, { recursive: true, force: true }));
    await writeFile(join(files, 'machine-id'), `${randomBytes(16).toString('hex')}\n`);
    await ip('netns', 'add', name);
    cleanup.defer(async () => void (await ip('netns', 'delete', name)));
    await ip('link', 'add', link, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name);
    await ip('address', 'add', `${here}/30`, 'dev', link);
    await ip('link', 'set', link, 'up');
    await ip('-n', name, 'address', 'add', `${there}/30`, 'dev', 'eth0');
    for (const device of ['lo', 'eth0']) await ip('-n', name, 'link', 'set', device, 'up');
  } catch (thrown) {
    await cleanup.disposeAsync();
    throw thrown;
  }
  return {
    address: there,
    prefix: ['ip', 'netns', 'exec', name],
    [Symbol.asyncDispose]: () => cleanup.disposeAsync(),
  };
}
