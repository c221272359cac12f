import { readFile } from 'node:fs/promises';
import { NexusError } from '../../contract/errors.ts';
import type { Problem, SetupStep } from './setup-step.ts';

const needed = 'workspaces run on Debian and Ubuntu';

/** What no set-up can change. */
export function systemStep({ osRelease = '/etc/os-release', userId = process.getuid?.() } = {}): SetupStep {
  async function check(): Promise<Problem | null> {
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
      throw new NexusError('provider_unavailable', { provider: 'lxc', reason: (await check())?.detail ?? needed });
    },
  };
}
