/**
 * Secrets that rest in the database are sealed (AES-256-GCM) with a key that is not: who has a copy of the one has not
 * the other. A sealed text is `nonce (12 bytes) | tag (16 bytes) | ciphertext`, base64.
 */
import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { NexusError } from '../../contract/errors.ts';
import { createFileOnce } from '../../lib/atomic-file.ts';

export type Sealer = {
  /** @param owner to whom it belongs: it cannot be opened for anyone else */
  seal(text: string, owner: string): string;
  /** Null: sealed with another key, for somebody else, or damaged. */
  open(sealed: string, owner: string): string | null;
};

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** Makes the file of the key (mode 0600) when it is not there. @throws config_invalid when it holds no key */
export async function openSealer(keyFile: string): Promise<Sealer> {
  await createFileOnce(keyFile, randomBytes(keyBytes), { mode: 0o600 });
  const key = await readFile(keyFile);
  if (key.length !== keyBytes) {
    const problem = `must hold ${keyBytes} bytes; without the true ones people sign in again: remove it`;
    throw new NexusError('config_invalid', { file: keyFile, problems: [{ path: '', problem }], of: 'server' });
  }
  return {
    seal(text, owner) {
      const nonce = randomBytes(nonceBytes);
      const cipher = createCipheriv(algorithm, key, nonce).setAAD(Buffer.from(owner));
      const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
      return Buffer.concat([nonce, cipher.getAuthTag(), body]).toString('base64');
    },
    open(sealed, owner) {
      const bytes = Buffer.from(sealed, 'base64');
      const nonce = bytes.subarray(0, nonceBytes);
      const tag = bytes.subarray(nonceBytes, nonceBytes + tagBytes);
      try {
        const decipher = createDecipheriv(algorithm, key, nonce, { authTagLength: tagBytes })
          .setAAD(Buffer.from(owner))
          .setAuthTag(tag);
        const body = decipher.update(bytes.subarray(nonceBytes + tagBytes));
        return Buffer.concat([body, decipher.final()]).toString('utf8');
      } catch {
        return null;
      }
    },
  };
}
