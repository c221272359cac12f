/**
 * Keys by which the gateway knows who brings and who opens streams. Each is made of a secret that has a file of its own:
 * a copy of the database has none of them, and who joins anew has another.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { NexusError } from '../contract/errors.ts';
import { createFileOnce } from '../lib/atomic-file.ts';
import type { NodeRow } from './store/schema.ts';

/** Each 32 bytes, base64. */
export type StreamKeys = {
  readonly server: string;
  of(node: Pick<NodeRow, 'name' | 'public_key'>): string;
};

const secretBytes = 32;

/** Makes the file (mode 0600) when it is not there. @throws config_invalid when it holds no secret */
export async function openStreamKeys(file: string): Promise<StreamKeys> {
  await createFileOnce(file, randomBytes(secretBytes), { mode: 0o600 });
  const secret = await readFile(file);
  if (secret.length !== secretBytes) {
    const problem = `must hold ${secretBytes} bytes; any will do: remove it`;
    throw new NexusError('config_invalid', { file, problems: [{ path: '', problem }], of: 'server' });
  }
  const derive = (...of: readonly string[]): string =>
    createHmac('sha256', secret).update(JSON.stringify(of)).digest('base64');
  return {
    server: derive('server'),
    of: ({ name, public_key }) => derive('node', name, public_key),
  };
}
