import { readdir, readFile } from 'node:fs/promises';

/** Environment variable by which all processes that an exec started are known, also those it let go of. */
export const execMark = 'NEXUS_EXEC_ID';

/**
 * Signals every process with this mark, and every child of one (`sudo` clears the environment). The engine itself
 * only signals the first process and leaves its children running. False: there is none.
 */
export async function signalMarked(mark: string, signal: NodeJS.Signals, proc = '/proc'): Promise<boolean> {
  const ids = (await readdir(proc).catch(() => [])).filter((entry) => /^\d+$/.test(entry));
  const processes = await Promise.all(ids.map((id) => readProcess(proc, id, mark)));
  const marked = new Set(processes.flatMap((process) => (process?.marked ? [process.id] : [])));
  let before = -1;
  while (marked.size > before) {
    before = marked.size;
    for (const process of processes) if (process && marked.has(process.parent)) marked.add(process.id);
  }
  for (const id of marked) kill(Number(id), signal);
  return marked.size > 0;
}

async function readProcess(
  proc: string,
  id: string,
  mark: string,
): Promise<{ id: string; parent: string; marked: boolean } | null> {
  try {
    const [environment, stat] = await Promise.all([
      readFile(`${proc}/${id}/environ`, 'latin1'),
      readFile(`${proc}/${id}/stat`, 'latin1'),
    ]);
    const parent = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1] ?? '0';
    return { id, parent, marked: environment.split('\0').includes(`${execMark}=${mark}`) };
  } catch {
    return null;
  }
}

function kill(id: number, signal: NodeJS.Signals): void {
  try {
    process.kill(id, signal);
  } catch {
    // It ended meanwhile.
  }
}
