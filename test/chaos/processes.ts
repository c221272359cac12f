/** The processes of one installation, found by their arguments and folders, whatever they noted of themselves. */
import { readdir, readFile, readlink } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Installation } from '../support/installation.ts';
import type { Role } from './plan-round.ts';

export type Process = {
  readonly pid: number;
  readonly args: readonly string[];
  readonly cwd: string;
  /** `NAME=value` each. */
  readonly environment: readonly string[];
};

export async function allProcesses(): Promise<Process[]> {
  const ids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  return (await Promise.all(ids.map(readProcess))).flatMap((found) => found ?? []);
}

export async function processesOf(nexus: Installation): Promise<Process[]> {
  const root = dirname(nexus.dataDir);
  return (await allProcesses()).filter(
    ({ args, cwd, environment }) =>
      cwd.startsWith(root) ||
      args.some((arg) => arg.includes(root)) ||
      environment.includes(`NEXUS_DATA_DIR=${nexus.dataDir}`),
  );
}

export function roleOf({ args }: Process): Role | null {
  const [command] = [/ server start( |$)/, / agent start( |$)/, / gateway run( |$)/].filter((form) =>
    form.test(` ${args.join(' ')}`),
  );
  if (!command) return null;
  return (['server', 'agent', 'gateway'] as const).find((role) => command.source.includes(role)) ?? null;
}

/** kill -9 of whatever runs in these roles at this moment. Returns those that did. */
export async function killRoles(nexus: Installation, roles: readonly Role[]): Promise<{ pid: number; role: Role }[]> {
  const killed: { pid: number; role: Role }[] = [];
  for (const found of await processesOf(nexus)) {
    const role = roleOf(found);
    if (role === null || !roles.includes(role)) continue;
    process.kill(found.pid, 'SIGKILL');
    killed.push({ pid: found.pid, role });
  }
  return killed;
}

/** Null for what has ended meanwhile, is the kernel's, or is only waited for by its parent. */
async function readProcess(id: string): Promise<Process | null> {
  try {
    const command = await readFile(`/proc/${id}/cmdline`, 'utf8');
    if (command === '') return null;
    const cwd = await readlink(`/proc/${id}/cwd`).catch(() => '');
    const environment = (await readFile(`/proc/${id}/environ`, 'utf8').catch(() => '')).split('\0');
    return { pid: Number(id), args: command.split('\0').filter(Boolean), cwd, environment };
  } catch {
    return null;
  }
}
