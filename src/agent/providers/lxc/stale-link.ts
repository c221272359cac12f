import { existsSync } from 'node:fs';
import { CommandError, runCommand } from '../../../lib/run-command.ts';
import { interfaceName } from './layout.ts';

const timeoutMs = 10_000;

/**
 * Removes the host-side interface that an engine which died in the middle of a start has left, when that is what a
 * start fails on: it would fail on it for ever. An interface that is in use is not "there already" to its own instance.
 * Returns whether there was one.
 */
export async function removeStaleLink(name: string, failure: string): Promise<boolean> {
  const link = interfaceName(name);
  if (!failure.includes(`ip link add ${link} `) || !failure.includes('File exists')) return false;
  return removeLink(link);
}

/** The same for an instance that is gone: its deletion does not take such an interface along. */
export async function removeLinkOfGone(name: string): Promise<void> {
  const link = interfaceName(name);
  if (existsSync(`/sys/class/net/${link}`)) await removeLink(link);
}

async function removeLink(link: string): Promise<boolean> {
  try {
    await runCommand(['ip', 'link', 'delete', link], { timeoutMs });
    return true;
  } catch (thrown) {
    if (thrown instanceof CommandError) return false;
    throw thrown;
  }
}
