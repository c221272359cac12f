/** What the server notes of each process that it starts: for itself, and for the server after it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import type { ChildSpec } from './find-child.ts';

export type ChildNote = {
  readonly pid: number;
  /** It was started with. */
  readonly args: readonly string[];
  readonly version: string;
  /** It was told to end. */
  readonly ending: boolean;
};

export function noteFileOf(folder: string, role: ChildSpec['role']): string {
  return join(folder, `${role}-process.json`);
}

export async function writeNote(file: string, note: ChildNote): Promise<void> {
  await writeFileAtomic(file, `${JSON.stringify(note)}\n`, { mode: 0o600 });
}

export function readNote(file: string): Promise<ChildNote | null> {
  return readJson<ChildNote | null>(file, null);
}

/** Of a process's own state file. */
export async function readPid(stateFile: string): Promise<number | null> {
  const { pid } = await readJson<{ pid?: unknown }>(stateFile, {});
  return typeof pid === 'number' && Number.isInteger(pid) && pid > 0 ? pid : null;
}

async function readJson<T>(file: string, otherwise: T): Promise<T> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return otherwise;
  }
}
