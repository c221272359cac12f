import { randomBytes } from 'node:crypto';
import { newId } from '../../src/contract/ids.ts';
import { createLxcProvider } from '../../src/agent/providers/lxc/lxc-provider.ts';
import { findSocket } from '../../src/agent/providers/lxc/find-socket.ts';
import type { Instance, InstanceLimits, Provider, ProviderName } from '../../src/agent/providers/provider.ts';

/** A provider on the engine of this machine; `absent` says why it cannot be tested here. */
export type Candidate = {
  readonly name: ProviderName;
  readonly absent: string | false;
  /** With a socket at `brokenSocket`, where no engine listens. */
  create(clusterId: string, options?: { brokenSocket?: string }): Provider;
};

const relayCommand = [process.execPath, new URL('../support/relay-process.ts', import.meta.url).pathname];

export const candidates: readonly Candidate[] = [
  {
    name: 'lxc',
    absent: process.getuid?.() !== 0 ? 'needs root' : findSocket() === null && 'there is no LXD or Incus here',
    create: (clusterId, { brokenSocket } = {}) =>
      createLxcProvider({ clusterId, relayCommand, socketPath: brokenSocket }),
  },
];

export const smallLimits: InstanceLimits = {
  cpu: 1,
  memoryBytes: 512 * 1024 ** 2,
  diskBytes: 4 * 1024 ** 3,
  processes: 300,
};

/** A cluster of its own on a real engine: what a test leaves over is found and removed by its id. */
export class ProviderLab {
  readonly clusterId = `test-${randomBytes(6).toString('hex')}`;
  readonly provider: Provider;

  constructor(candidate: Candidate) {
    this.provider = candidate.create(this.clusterId);
  }

  async create(options: { packages?: readonly string[]; id?: string; hostname?: string } = {}): Promise<Instance> {
    const base = await this.provider.ensureBase({ image: 'debian:12', packages: options.packages ?? [] }, {});
    const { id = newId('ws'), hostname = 'conformance' } = options;
    return this.provider.create({ id, base, hostname, limits: smallLimits });
  }

  async createStarted(options: { packages?: readonly string[] } = {}): Promise<Instance & { address: string }> {
    const instance = await this.create(options);
    await this.provider.start(instance.id);
    if (instance.address === null) throw new Error('it has no address');
    return { ...instance, address: instance.address };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const { id } of await this.provider.list()) await this.provider.remove(id);
    await this.provider[Symbol.asyncDispose]();
  }
}

export type Outcome = { readonly exitCode: number; readonly stdout: Buffer; readonly stderr: string };

/** Runs a command to its end. */
export async function run(
  provider: Provider,
  id: string,
  spec: Parameters<Provider['exec']>[1] & { readonly input?: Buffer | string },
): Promise<Outcome> {
  const { input = '', ...rest } = spec;
  const handle = await provider.exec(id, rest);
  handle.stdin.end(input);
  const [stdout, stderr] = await Promise.all([handle.stdout.toArray(), handle.stderr.toArray()]);
  return {
    exitCode: await handle.exitCode,
    stdout: Buffer.concat(stdout as Buffer[]),
    stderr: Buffer.concat(stderr as Buffer[]).toString(),
  };
}

/** The standard output of a shell script, without the last newline. */
export async function shell(provider: Provider, id: string, script: string, user?: 'root' | 'dev'): Promise<string> {
  const outcome = await run(provider, id, { command: ['bash', '-c', script], ...(user ? { user } : {}) });
  return outcome.stdout.toString().trimEnd();
}
