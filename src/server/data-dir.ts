/** The server's folder: what is where in it, and that one server has it at a time. */
import { readFileSync } from 'node:fs';
import { chmod, mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { NexusError } from '../contract/errors.ts';
import { createFileOnce, removeUnfinished, writeFileAtomic } from '../lib/atomic-file.ts';
import { isProcessAlive, startTicks } from '../lib/process-alive.ts';

export type DataDir = {
  readonly path: string;
  readonly database: string;
  readonly identity: string;
  readonly localToken: string;
  /** Seals the tokens of people that are in the database. */
  readonly credentialsKey: string;
  /** Of which the keys of streams are made. */
  readonly streamSecret: string;
  readonly logs: string;
  /** State of the gateway and the agent that the server starts itself. */
  readonly gateway: string;
  readonly agent: string;
};

export function dataDir(path: string): DataDir {
  return {
    path,
    database: join(path, 'nexus.db'),
    identity: join(path, 'server-identity.pem'),
    localToken: join(path, 'local-token'),
    credentialsKey: join(path, 'credentials.key'),
    streamSecret: join(path, 'streams.secret'),
    logs: join(path, 'logs'),
    gateway: join(path, 'gateway'),
    agent: join(path, 'agent'),
  };
}

/** Where the repository that was uploaded for a workspace waits for its clone: a git bundle. */
export function uploadFile(dataDirPath: string, workspaceId: string): string {
  return join(dataDirPath, 'uploads', `${workspaceId}.bundle`);
}

/** Makes the folder, for its owner alone. */
export async function prepareDataDir(dir: DataDir): Promise<void> {
  await mkdir(dir.path, { recursive: true, mode: 0o700 });
  await chmod(dir.path, 0o700);
  await mkdir(dir.logs, { recursive: true, mode: 0o700 });
  await mkdir(join(dir.path, 'uploads'), { recursive: true, mode: 0o700 });
}

type Holder = { readonly pid: number; readonly started: string | null };

/**
 * Takes the folder for this process, until disposed of. The lock of a process that is gone is taken over, also when
 * another process got its id meanwhile.
 * @throws server_already_running
 */
export async function lockDataDir(dir: DataDir): Promise<AsyncDisposable> {
  const file = join(dir.path, 'server.lock');
  await removeUnfinished(dir.path);
  const own: Holder = { pid: process.pid, started: startTime(process.pid) };
  for (;;) {
    if (await createFileOnce(file, `${JSON.stringify(own)}\n`, { mode: 0o600 })) break;
    const holder = await readHolder(file);
    if (holder && isAlive(holder))
      throw new NexusError('server_already_running', { data_dir: dir.path, pid: holder.pid });
    await rm(file, { force: true });
  }
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}

async function readHolder(file: string): Promise<Holder | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return null;
  }
}

function isAlive(holder: Holder): boolean {
  if (!isProcessAlive(holder.pid)) return false;
  return holder.started === null || startTime(holder.pid) === holder.started;
}

/** With the boot that it counts from: tells a process from a later one of the same id. Null where there is no /proc. */
function startTime(pid: number): string | null {
  const ticks = startTicks(pid);
  if (ticks === null) return null;
  return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()} ${ticks}`;
}

/** How scripts and the CLI find the server of this machine: written once it answers. */
export async function announceServer(dir: DataDir, server: { url: string; pid: number }): Promise<AsyncDisposable> {
  const file = join(dir.path, 'server.json');
  await writeFileAtomic(file, `${JSON.stringify(server)}\n`, { mode: 0o600 });
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) };
}
