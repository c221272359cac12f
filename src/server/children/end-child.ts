import { setTimeout as sleep } from 'node:timers/promises';
import { isProcessAlive } from '../../lib/process-alive.ts';
import { noteFileOf, writeNote } from './child-note.ts';
import type { ChildOptions } from './child-options.ts';
import type { ChildSpec } from './find-child.ts';

const agentEndsWithinMs = 10_000;
const lookEveryMs = 50;

/** Tells it to end. An agent is waited for; a gateway lives on until its open connections end. */
export async function endChild(
  spec: ChildSpec,
  pid: number,
  { folder, version, log }: Pick<ChildOptions, 'folder' | 'version' | 'log'>,
): Promise<void> {
  await writeNote(noteFileOf(folder, spec.role), { pid, args: spec.args, version, ending: true });
  log.info({ role: spec.role, pid }, 'it is told to end');
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    return; // it has ended by itself
  }
  if (spec.role !== 'agent') return;
  const deadline = performance.now() + agentEndsWithinMs;
  while (isProcessAlive(pid) && performance.now() < deadline) await sleep(lookEveryMs);
}
