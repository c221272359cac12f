/** Finds a gateway or an agent by its arguments: a server that is killed just after it started one has noted nothing yet. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { isProcessAlive, startTicks } from '../../lib/process-alive.ts';

/** A gateway or an agent that the server starts itself. */
export type ChildSpec = {
  readonly role: 'gateway' | 'agent';
  /** By which it is known on the control connection. */
  readonly name: string;
  readonly args: readonly string[];
  /** Its own JSON file with its `pid`. */
  readonly stateFile: string;
  readonly logFile: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** The process that was started last for this role and folder; null: there is none, or no /proc to look in. */
export function findChild(spec: ChildSpec): number | null {
  const found = processIds().filter((pid) => isProcessAlive(pid) && isChild(pid, spec));
  return found.toSorted((a, b) => (startTicks(b) ?? 0) - (startTicks(a) ?? 0))[0] ?? null;
}

function processIds(): number[] {
  try {
    return readdirSync('/proc')
      .filter((entry) => /^\d+$/.test(entry))
      .map(Number);
  } catch {
    return [];
  }
}

function isChild(pid: number, { args, stateFile }: ChildSpec): boolean {
  try {
    const given = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0');
    const folder = given[given.indexOf('--state-dir') + 1];
    return args.slice(0, 2).every((arg) => given.includes(arg)) && folder === dirname(stateFile);
  } catch {
    return false;
  }
}
