/**
 * Public keys as OpenSSH writes them on one line (RFC 4253 section 6.6, RFC 5656, RFC 8709, and OpenSSH's PROTOCOL.u2f
 * for the keys of security tokens).
 */
import { createHash, createPublicKey } from 'node:crypto';

export type SshPublicKey = {
  readonly type: string;
  /** Without the comment: all that a line of `authorized_keys` needs. */
  readonly line: string;
  /** `SHA256:` and 43 characters, as `ssh-keygen -l` prints it. */
  readonly fingerprint: string;
};

/** Why the text is no key that is taken; for people, to stand after the field's name. */
export type SshKeyProblem = { readonly problem: string };

const smallestRsaBits = 2048;
/** OpenSSH takes none larger. */
const largestRsaBits = 16_384;

const taken =
  'ssh-ed25519, ecdsa-sha2-nistp256, -nistp384 or -nistp521, sk-ssh-ed25519, sk-ecdsa-sha2-nistp256, or ssh-rsa';

export function parseSshPublicKey(text: string): SshPublicKey | SshKeyProblem {
  const trimmed = text.trim();
  if (/PRIVATE KEY-----|^PuTTY-User-Key-File/m.test(trimmed))
    return { problem: 'is a private key; keep it to yourself, and give the one line of the .pub file beside it' };
  if (/[\r\n]/.test(trimmed)) return { problem: 'must be one line, as in a .pub file' };
  // oxlint-disable-next-line no-control-regex -- these must not reach a file of keys
  if (/[\u0000-\u0008\u000b-\u001f\u007f]/.test(trimmed)) return { problem: 'must not have control characters' };
  const [type = '', base64 = ''] = trimmed.split(/[ \t]+/);
  const check = checks.get(type);
  if (check === undefined) return { problem: `must begin with its type: ${taken}` };
  const blob = Buffer.from(base64, 'base64');
  if (base64 === '' || blob.toString('base64') !== base64)
    return { problem: 'is cut off or damaged: its second word is not base64' };
  const fields = wireFields(blob);
  if (fields === undefined || fields[0]?.toString('latin1') !== type)
    return { problem: `is cut off or damaged: it is not a key of type ${type}` };
  const problem = check(fields.slice(1), type);
  if (problem !== undefined) return { problem };
  return { type, line: `${type} ${base64}`, fingerprint: sshFingerprint(blob) };
}

function sshFingerprint(blob: Buffer): string {
  return `SHA256:${createHash('sha256').update(blob).digest('base64').replace(/=+$/, '')}`;
}

/** The parts of a key: each has its length before it (4 bytes, big-endian). Undefined when they do not fill the key. */
function wireFields(blob: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at < blob.length) {
    if (at + 4 > blob.length) return undefined;
    const end = at + 4 + blob.readUInt32BE(at);
    if (end > blob.length) return undefined;
    fields.push(blob.subarray(at + 4, end));
    at = end;
  }
  return fields;
}

/** Gets the parts after the type; says what is wrong with them. */
type Check = (fields: readonly Buffer[], type: string) => string | undefined;

const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['ssh-ed25519', (fields, type) => (fields.length === 1 && isEd25519(fields[0]) ? undefined : damaged(type))],
  [
    'sk-ssh-ed25519@openssh.com',
    (fields, type) => (fields.length === 2 && isEd25519(fields[0]) ? undefined : damaged(type)),
  ],
  ['ecdsa-sha2-nistp256', (fields, type) => ecdsaProblem(fields, type, 2)],
  ['ecdsa-sha2-nistp384', (fields, type) => ecdsaProblem(fields, type, 2)],
  ['ecdsa-sha2-nistp521', (fields, type) => ecdsaProblem(fields, type, 2)],
  ['sk-ecdsa-sha2-nistp256@openssh.com', (fields, type) => ecdsaProblem(fields, type, 3)],
  ['ssh-rsa', rsaProblem],
]);

function damaged(type: string): string {
  return `is cut off or damaged: it is not a key of type ${type}`;
}

function isEd25519(key: Buffer | undefined): boolean {
  return key?.length === 32;
}

const curves: ReadonlyMap<string, { crv: string; bytes: number }> = new Map([
  ['nistp256', { crv: 'P-256', bytes: 32 }],
  ['nistp384', { crv: 'P-384', bytes: 48 }],
  ['nistp521', { crv: 'P-521', bytes: 66 }],
]);

function ecdsaProblem(fields: readonly Buffer[], type: string, count: number): string | undefined {
  const [name, point] = fields;
  const curve = curves.get(name?.toString('latin1') ?? '');
  const whole = fields.length === count && curve !== undefined && type.includes(name?.toString('latin1') ?? '');
  if (!whole || point === undefined || !isPoint(point, curve)) return damaged(type);
  return undefined;
}

/** An uncompressed point (SEC 1, section 2.3.3) that lies on the curve. */
function isPoint(point: Buffer, { crv, bytes }: { crv: string; bytes: number }): boolean {
  if (point[0] !== 4 || point.length !== 1 + 2 * bytes) return false;
  const [x, y] = [point.subarray(1, 1 + bytes).toString('base64url'), point.subarray(1 + bytes).toString('base64url')];
  try {
    createPublicKey({ format: 'jwk', key: { kty: 'EC', crv, x, y } });
    return true;
  } catch {
    return false;
  }
}

function rsaProblem(fields: readonly Buffer[], type: string): string | undefined {
  const [exponent, modulus] = fields;
  if (fields.length !== 2 || exponent === undefined || modulus === undefined || exponent.length === 0)
    return damaged(type);
  const bits = bitLength(modulus);
  if (bits < smallestRsaBits)
    return `is an RSA key of ${bits} bits; at least ${smallestRsaBits} are needed (ssh-keygen -t ed25519 makes a better one)`;
  if (bits > largestRsaBits) return `is an RSA key of ${bits} bits; at most ${largestRsaBits} are taken`;
  return undefined;
}

/** Of a non-negative multiple-precision integer (RFC 4251, section 5), which may have a zero byte before it. */
function bitLength(number: Buffer): number {
  const first = number.findIndex((byte) => byte !== 0);
  return first === -1 ? 0 : (number.length - first) * 8 - Math.clz32(number[first] ?? 0) + 24;
}
