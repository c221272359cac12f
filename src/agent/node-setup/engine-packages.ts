import { readFile } from 'node:fs/promises';
import { NexusError } from '../../contract/errors.ts';
import { CommandError, runCommand } from '../../lib/run-command.ts';
import { findSocket, knownSockets } from '../providers/lxc/find-socket.ts';
import { installedProgram, programFolders } from './host-programs.ts';
import type { SetupStep } from './setup-step.ts';

/** Programs that a node needs, each with the package that has it. */
const tools: Readonly<Record<string, string>> = {
  btrfs: 'btrfs-progs',
  mmdebstrap: 'mmdebstrap',
  nft: 'nftables',
  nsenter: 'util-linux',
  sysctl: 'procps',
};

export const engineDaemons = ['incusd', 'lxd'] as const;

const anEngine = 'lxd or incus';
const installTimeoutMs = 15 * 60_000;
const quickTimeoutMs = 30_000;

export type PackagesOptions = {
  readonly socketPath?: string | undefined;
  readonly folders?: readonly string[];
  readonly osRelease?: string;
  /** Where a running engine may listen. */
  readonly sockets?: readonly string[];
};

export function enginePackagesStep(options: PackagesOptions = {}): SetupStep {
  const { socketPath, folders = programFolders, osRelease = '/etc/os-release', sockets = knownSockets } = options;

  async function missing(): Promise<string[]> {
    const found = await Promise.all(
      Object.entries(tools).map(async ([tool, name]) => ((await installedProgram([tool], folders)) ? [] : [name])),
    );
    const hasEngine = (socketPath ?? findSocket(sockets) ?? (await installedProgram(engineDaemons, folders))) !== null;
    return [...found.flat(), ...(hasEngine ? [] : [anEngine])];
  }

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
      const packages = names.filter((name) => name !== anEngine);
      if (names.includes(anEngine)) packages.push(...(await enginePackage(osRelease)));
      if (packages.length > 0) await aptGet(['install', '--yes', '--no-install-recommends', ...packages], onProgress);
      const left = await missing();
      if (left.includes(anEngine)) await installSnap(folders, onProgress);
    },
  };
}

/** Debian has LXD or Incus as a package; on Ubuntu the package of LXD is only a way to its snap. */
async function enginePackage(osRelease: string): Promise<string[]> {
  const isUbuntu = /^ID=ubuntu/m.test(await readFile(osRelease, 'utf8'));
  for (const name of isUbuntu ? ['incus'] : ['lxd', 'incus']) if (await isInstallable(name)) return [name];
  return [];
}

async function isInstallable(name: string): Promise<boolean> {
  const policy = await runCommand(['apt-cache', 'policy', name], { timeoutMs: quickTimeoutMs }).catch(failed);
  return /^ {2}Candidate: (?!\(none\))/m.test(policy.stdout);
}

async function installSnap(folders: readonly string[], onProgress: (line: string) => void): Promise<void> {
  if ((await installedProgram(['snap'], folders)) === null)
    throw new NexusError('provider_unavailable', {
      provider: 'lxc',
      reason: 'there is neither LXD nor Incus to install',
    });
  onProgress('installing LXD as a snap');
  await runCommand(['snap', 'install', 'lxd'], { timeoutMs: installTimeoutMs }).catch(failed);
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
  const said = thrown instanceof CommandError ? thrown.result.stderr.split('\n') : [];
  const reason = said.findLast((line) => line.startsWith('E: '))?.slice(3) ?? String(thrown);
  throw new NexusError('provider_unavailable', { provider: 'lxc', reason }, { cause: thrown });
}
