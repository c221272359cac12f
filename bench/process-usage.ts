/** What processes take, read from /proc. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }));

/** Processor time so far, with that of children that ended, in seconds. */
export function cpuSeconds(pid: number): number {
  const [user = 0, system = 0, childrenUser = 0, childrenSystem = 0] = statOf(pid).slice(11, 15).map(Number);
  return (user + system + childrenUser + childrenSystem) / ticksPerSecond;
}

/** `pss`: shared pages divided among those who share them. Both in MiB. */
export function memoryMiB(pid: number): { readonly rss: number; readonly pss: number } {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const value = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(text)?.[1]) / 1024;
  return { rss: value('Rss'), pss: value('Pss') };
}

/** The process, and those that it started; not those of `others`, nor theirs. */
export function withDescendants(pid: number, others: readonly number[]): number[] {
  const parents = new Map(allProcesses().map((one) => [one, Number(statOf(one)[1])]));
  const children = (of: number): number[] => [...parents].flatMap(([one, parent]) => (parent === of ? [one] : []));
  const tree = (of: number): number[] => [
    of,
    ...children(of)
      .filter((one) => !others.includes(one))
      .flatMap(tree),
  ];
  return tree(pid);
}

export function processesNamed(...names: readonly string[]): number[] {
  return allProcesses().filter((pid) => names.includes(nameOf(pid) ?? ''));
}

function allProcesses(): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number);
}

function nameOf(pid: number): string | null {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch {
    return null; // it has ended
  }
}

/** proc_pid_stat(5) from its third field on: the second, the name, may hold spaces. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
  } catch {
    return [];
  }
}
