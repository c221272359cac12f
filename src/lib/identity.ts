/** The ed25519 key by which a server, an agent or a gateway is known: a PEM file that only its owner can read. */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify as verifySignature,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createFileOnce } from './atomic-file.ts';

export type Identity = {
  /** The raw 32 bytes, base64. */
  readonly publicKey: string;
  /** A signature of 64 bytes. */
  sign(data: Buffer): Buffer;
};

/** What stands before the 32 bytes of an ed25519 public key in DER (RFC 8410, section 4). */
const spkiPrefix = Buffer.from('302a300506032b6570032100', 'hex');
const rawKeyBytes = 32;

/** Reads the key, or makes one (0600) when there is none; of several processes that do so at once, one wins. */
export async function loadIdentity(file: string): Promise<Identity> {
  const known = await readFile(file, 'utf8').catch(ifMissing);
  if (known !== null) return identityOf(known);
  const { privateKey } = generateKeyPairSync('ed25519');
  await createFileOnce(file, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
  return identityOf(await readFile(file, 'utf8'));
}

/** False too for a key or signature of a wrong length. Both the key and the signature are as on the wire: base64. */
export function verify(publicKey: string, data: Buffer, signature: string): boolean {
  const raw = Buffer.from(publicKey, 'base64');
  if (raw.length !== rawKeyBytes) return false;
  const key = createPublicKey({ key: Buffer.concat([spkiPrefix, raw]), format: 'der', type: 'spki' });
  return verifySignature(null, data, key, Buffer.from(signature, 'base64'));
}

/** `SHA256:` and the unpadded base64 of the raw key's hash. */
export function fingerprint(publicKey: string): string {
  const hash = createHash('sha256').update(Buffer.from(publicKey, 'base64')).digest('base64');
  return `SHA256:${hash.replace(/=+$/, '')}`;
}

function identityOf(pem: string): Identity {
  const privateKey = createPrivateKey(pem);
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  return {
    publicKey: spki.subarray(-rawKeyBytes).toString('base64'),
    sign: (data) => sign(null, data, privateKey),
  };
}

function ifMissing(error: NodeJS.ErrnoException): null {
  if (error.code === 'ENOENT') return null;
  throw error;
}
