import { readFile, writeFile } from 'node:fs/promises';
import { runCommand } from '../../lib/run-command.ts';
import type { Problem, SetupStep } from './setup-step.ts';

/**
 * Least values, from LXD's and Incus's notes on production setups. At the usual 128 inotify instances the
 * 15th container's sshd never starts, with no clear error.
 */
export const kernelLimits: Readonly<Record<string, number>> = {
  'fs.inotify.max_queued_events': 1_048_576,
  'fs.inotify.max_user_instances': 1_048_576,
  'fs.inotify.max_user_watches': 1_048_576,
  'kernel.keys.maxbytes': 2_000_000,
  'kernel.keys.maxkeys': 2000,
  'net.ipv4.ip_forward': 1,
  'vm.max_map_count': 262_144,
};

export const sysctlFile = '/etc/sysctl.d/60-nexus.conf';

type Files = { readonly file: string; readonly root: string };

export function kernelLimitsStep(files: Files = { file: sysctlFile, root: '/proc/sys' }): SetupStep {
  const { file, root } = files;
  return {
    name: 'kernel limits',
    describe: () => 'inotify, keys, memory maps and forwarding are as they should be',
    async check(): Promise<Problem | null> {
      const low = await tooLow(root);
      if (low.length > 0) return { detail: low.map(({ key, value }) => `${key} is ${value}`).join(', ') };
      const kept = await readFile(file, 'utf8').catch(() => '');
      const lost = Object.keys(kernelLimits).filter((key) => !kept.includes(`${key} = `));
      return lost.length > 0 ? { detail: `the next boot would lose ${lost.join(', ')}` } : null;
    },
    async apply() {
      const wanted = Object.entries(kernelLimits).map(
        async ([key, least]) => `${key} = ${Math.max((await read(root, key)) ?? 0, least)}`,
      );
      await writeFile(file, `# Written by nexus node setup.\n${(await Promise.all(wanted)).join('\n')}\n`);
      for (const { key, least } of await tooLow(root)) {
        await runCommand(['sysctl', '--quiet', '--write', `${key}=${least}`], { timeoutMs: 10_000 });
      }
    },
  };
}

async function tooLow(root: string): Promise<{ key: string; least: number; value: number }[]> {
  const found = await Promise.all(
    Object.entries(kernelLimits).map(async ([key, least]) => ({ key, least, value: await read(root, key) })),
  );
  return found.flatMap(({ key, least, value }) => (value !== null && value < least ? [{ key, least, value }] : []));
}

/** Null for what this kernel does not have. */
async function read(root: string, key: string): Promise<number | null> {
  const text = await readFile(`${root}/${key.replaceAll('.', '/')}`, 'utf8').catch(() => null);
  return text === null ? null : Number(text.trim());
}
