import { readFileSync } from 'node:fs';

/** A process that has ended, but whose parent has not asked how (a zombie), is not alive. */
export function isProcessAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  const state = processStatus(pid)?.[0];
  return state !== 'Z' && state !== 'X';
}

/** When a process started, in clock ticks since the boot; null where there is no /proc. */
export function startTicks(pid: number): number | null {
  const ticks = processStatus(pid)?.[19];
  return ticks === undefined ? null : Number(ticks);
}

/** The fields of proc_pid_stat(5) from the third, the state, on. */
function processStatus(pid: number): string[] | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  } catch {
    return null;
  }
}
