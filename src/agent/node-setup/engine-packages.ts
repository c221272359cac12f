import { access, readFile } from 'node:fs/promises';
import { NexusError } from '../../contract/errors.ts';
import { CommandError, runCommand } from '../../lib/run-command.ts';
import { findSocket } from '../providers/lxc/find-socket.ts';
import type { SetupStep } from './setup-step.ts';

/** Programs that the node needs, each with the package that has it. */
const tools: Readonly<Record<string, string>> = {
  btrfs: 'btrfs-progs',
  mmdebstrap: 'mmdebstrap',
  nft: 'nftables',
  nsenter: 'util-linux',
  sysctl: 'procps',
};

const installTimeoutMs = 15 * 60_000;
const quickTimeoutMs = 30_000;

export function systemStep({ osRelease = '/etc/os-release', userId = process.getuid?.() } = {}): SetupStep {
  const needed = 'Nexus runs its workspaces on Debian and Ubuntu';
  const refuse = (problem: string): NexusError =>
    new NexusError('provider_unavailable', { provider: 'lxc', reason: problem });
  async function check(): Promise<{ detail: string; fix: string } | null> {
    const text = await readFile(osRelease, 'utf8').catch(() => '');
    if (!/^ID(?:_LIKE)?=.*(?:debian|ubuntu)/m.test(text)) {
      const system = /^PRETTY_NAME="?([^"\n]*)/m.exec(text)?.[1] ?? process.platform;
      return { detail: `this is ${system}; ${needed}`, fix: 'cat /etc/os-release' };
    }
    return userId === 0 ? null : { detail: 'it needs root', fix: 'sudo nexus node setup' };
  }
  return {
    name: 'system',
    describe: () => 'Debian or Ubuntu, and root',
    check,
    async apply() {
      throw refuse((await check())?.detail ?? needed);
    },
  };
}

export function enginePackagesStep({ socketPath }: { socketPath?: string | undefined } = {}): SetupStep {
  const missing = async (): Promise<string[]> => {
    const found = await Promise.all(
      Object.entries(tools).map(async ([tool, name]) => ((await hasProgram(tool)) ? [] : [name])),
    );
    const engine = socketPath !== undefined || findSocket() !== null || (await engineProgram()) !== null;
    return [...found.flat(), ...(engine ? [] : [anEngine])];
  };
  return {
    name: 'engine',
    describe: () => 'LXD or Incus, and the tools beside it, are installed',
    async check() {
      const names = await missing();
      return names.length > 0 ? { detail: `not installed: ${names.join(', ')}` } : null;
    },
    async apply(onProgress) {
      const names = await missing();
      await aptGet(['update'], onProgress);
      const wanted = names.filter((name) => name !== anEngine);
      if (names.includes(anEngine)) wanted.push(...(await engineToInstall(onProgress)));
      if (wanted.length > 0) await aptGet(['install', '--yes', '--no-install-recommends', ...wanted], onProgress);
    },
  };
}

const anEngine = 'lxd or incus';

/** Path of the engine's daemon; null: there is none. */
export async function engineProgram(): Promise<string | null> {
  for (const program of ['incusd', 'lxd']) if (await hasProgram(program)) return program;
  return null;
}

/** Debian has LXD or Incus as a package; on Ubuntu the package of LXD is only a way to its snap. */
async function engineToInstall(onProgress: (line: string) => void): Promise<string[]> {
  const isUbuntu = /^ID=ubuntu/m.test(await readFile('/etc/os-release', 'utf8'));
  for (const name of isUbuntu ? ['incus'] : ['lxd', 'incus']) if (await isInstallable(name)) return [name];
  if (!(await hasProgram('snap')))
    throw new NexusError('provider_unavailable', { provider: 'lxc', reason: 'apt has neither lxd nor incus' });
  onProgress('installing LXD as a snap');
  await runCommand(['snap', 'install', 'lxd'], { timeoutMs: installTimeoutMs }).catch(failed);
  return [];
}

async function isInstallable(name: string): Promise<boolean> {
  const policy = await runCommand(['apt-cache', 'policy', name], { timeoutMs: quickTimeoutMs }).catch(() => null);
  return /^ {2}Candidate: (?!\(none\))/m.test(policy?.stdout ?? '');
}

async function aptGet(args: readonly string[], onLine: (line: string) => void): Promise<void> {
  const settings = ['-qq', '-o', 'Dpkg::Use-Pty=0', '-o', 'Acquire::Retries=2', '-o', 'DPkg::Lock::Timeout=120'];
  await runCommand(['apt-get', ...settings, ...args], {
    timeoutMs: installTimeoutMs,
    env: { DEBIAN_FRONTEND: 'noninteractive' },
    onLine,
  }).catch(failed);
}

function failed(thrown: unknown): never {
  const reason =
    thrown instanceof CommandError
      ? (thrown.result.stderr.split('\n').findLast((line) => line.startsWith('E: ')) ?? thrown.message)
      : String(thrown);
  throw new NexusError('provider_unavailable', { provider: 'lxc', reason }, { cause: thrown });
}

async function hasProgram(name: string): Promise<boolean> {
  const folders = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin', '/snap/bin'];
  const found = await Promise.all(folders.map((folder) => exists(`${folder}/${name}`)));
  return found.includes(true);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
