import { createHash, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createFileOnce } from './atomic-file.ts';

const systemFiles = ['/etc/machine-id', '/var/lib/dbus/machine-id'];

/**
 * Tells this machine from others: the SHA-256 of its machine id in hex, as machine-id(5) asks not to show the id
 * itself. Where the system has none, one is made and kept in `stateDir`.
 */
export async function machineId(stateDir: string, files: readonly string[] = systemFiles): Promise<string> {
  for (const file of files) {
    const id = await read(file);
    if (id) return hash(id);
  }
  const ownFile = join(stateDir, 'machine-id');
  await createFileOnce(ownFile, randomUUID(), { mode: 0o600 });
  return hash((await readFile(ownFile, 'utf8')).trim());
}

async function read(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  return text.trim();
}

function hash(id: string): string {
  return createHash('sha256').update(`nexus ${id}`).digest('hex');
}
