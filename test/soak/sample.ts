/** One look at everything that must not grow: processes, disk, rows, the insides of workspaces. */
import { readdir, readFile, stat, statfs } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { engine } from '../../bench/bare-engine.ts';
import { roles, type Role } from './schedule.ts';
import type { Soak } from './soak.ts';

/** By name, e.g. `server rss MiB`; what could not be had, of a process that is being killed say, is left out. */
export type Figures = Readonly<Record<string, number>>;
export type Sample = {
  readonly atMs: number;
  readonly pids: Readonly<Partial<Record<Role, number>>>;
  readonly figures: Figures;
};

const mebibyte = 2 ** 20;

export async function takeSample(soak: Pick<Soak, 'nexus' | 'now'>, longLivedIds: readonly string[]): Promise<Sample> {
  const { nexus, now } = soak;
  const pids: Partial<Record<Role, number>> = {};
  const figures: Record<string, number> = {};
  for (const role of roles) {
    const pid = await nexus.pid(role).catch(() => null);
    const found = pid === null ? {} : await figuresOfProcess(pid).catch(() => ({}));
    if (pid !== null && Object.keys(found).length > 0) pids[role] = pid;
    for (const [name, value] of Object.entries(found)) figures[`${role} ${name}`] = value;
  }
  const parts = await Promise.all([
    figuresOfFolder(nexus.dataDir),
    eventLoop(nexus.url).catch(() => ({})),
    insides(longLivedIds).catch(() => ({})),
    temporaryEntries(),
  ]);
  const machine = { 'machine load (1 min)': loadavg()[0] ?? 0 };
  const rows = rowCounts(join(nexus.dataDir, 'nexus.db'));
  return { atMs: now(), pids, figures: Object.assign(figures, rows, machine, ...parts) as Figures };
}

/** From proc_pid_status(5) and proc_pid_stat(5), whose times are in hundredths of a second. */
async function figuresOfProcess(pid: number): Promise<Figures> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kibibytes = (key: string): number => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
  const numbers = await readFile(`/proc/${pid}/stat`, 'utf8');
  const fields = numbers.slice(numbers.lastIndexOf(')') + 2).split(' ');
  return {
    'rss MiB': kibibytes('VmRSS') / 1024,
    fds: (await readdir(`/proc/${pid}/fd`)).length,
    threads: kibibytes('Threads'),
    'cpu s': (Number(fields[11]) + Number(fields[12])) / 100,
  };
}

async function figuresOfFolder(folder: string): Promise<Figures> {
  const bytes = { database: 0, wal: 0, logs: 0, other: 0 };
  let files = 0;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const path = join(entry.parentPath, entry.name);
    const size = await stat(path).then(
      ({ blocks }) => blocks * 512,
      () => 0,
    );
    const kind = entry.name.endsWith('.db') ? 'database' : entry.name.endsWith('.db-wal') ? 'wal' : 'other';
    bytes[entry.parentPath.endsWith('/logs') ? 'logs' : kind] += size;
    files += 1;
  }
  const disk = await statfs(folder);
  return {
    'data files': files,
    ...Object.fromEntries(Object.entries(bytes).map(([kind, size]) => [`${kind} MiB`, size / mebibyte])),
    'host disk used GiB': ((disk.blocks - disk.bfree) * disk.bsize) / 2 ** 30,
  };
}

function rowCounts(file: string): Figures {
  try {
    const database = new DatabaseSync(file, { readOnly: true, timeout: 2_000 });
    try {
      const tables = database.prepare(
        "select name from sqlite_master where type = 'table' and name not like 'sqlite%'",
      );
      const counts = tables.all().map(({ name }) => {
        const { count } = database.prepare(`select count(*) as count from "${String(name)}"`).get() ?? {};
        return [`rows of ${String(name)}`, Number(count)] as const;
      });
      return Object.fromEntries(counts);
    } finally {
      database.close();
    }
  } catch {
    return {};
  }
}

async function eventLoop(url: string): Promise<Figures> {
  const response = await fetch(`${url}/metrics`, { signal: AbortSignal.timeout(2_000) });
  const text = await response.text();
  const seconds = /^nodejs_eventloop_lag_p99_seconds (\S+)/m.exec(text)?.[1];
  return seconds === undefined ? {} : { 'server event loop delay p99 ms': Number(seconds) * 1000 };
}

async function insides(ids: readonly string[]): Promise<Figures> {
  const states = await Promise.all(
    ids.map((id) => engine('GET', `/1.0/instances/nexus-${id.replace(/^ws-/, '')}/state`)),
  );
  const sum = (of: (state: State) => number): number =>
    states.reduce<number>((total, state) => total + of(state as State), 0);
  const pool = (await engine('GET', '/1.0/storage-pools/nexus/resources')) as { space: { used: number } };
  return {
    'processes in long-lived workspaces': sum(({ processes }) => processes),
    'memory of long-lived workspaces MiB': sum(({ memory }) => memory.usage) / mebibyte,
    'pool used GiB (shared)': pool.space.used / 2 ** 30,
  };
}

type State = { readonly processes: number; readonly memory: { readonly usage: number } };

/** The soak has a TMPDIR of its own, with a folder for the installation. */
async function temporaryEntries(): Promise<Figures> {
  const folder = process.env['TMPDIR'];
  if (folder === undefined) return {};
  const entries = await readdir(folder);
  return { 'temporary entries': entries.filter((name) => !name.startsWith('nexus-test-')).length };
}
