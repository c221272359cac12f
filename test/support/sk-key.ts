/** A key of a security token, as ssh-keygen writes it (OpenSSH's PROTOCOL.key and PROTOCOL.u2f), without the token. */
import { generateKeyPairSync } from 'node:crypto';

const type = 'sk-ssh-ed25519@openssh.com';
const application = 'ssh:';

/** @returns the file of the private half, which is a handle only, and the line of the public one */
export function makeSkKey(): { privateFile: string; publicLine: string } {
  const { publicKey } = generateKeyPairSync('ed25519');
  const point = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32);
  const blob = Buffer.concat([field(type), field(point), field(application)]);
  const check = Buffer.from('01020304', 'hex');
  const secret = Buffer.concat([
    check,
    check,
    field(type),
    field(point),
    field(application),
    Buffer.from([1]),
    field(Buffer.alloc(64, 7)),
    field(''),
    field('token'),
  ]);
  const padding = Buffer.from(Array.from({ length: (8 - (secret.length % 8)) % 8 }, (_, at) => at + 1));
  const data = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    field('none'),
    field('none'),
    field(''),
    Buffer.from([0, 0, 0, 1]),
    field(blob),
    field(Buffer.concat([secret, padding])),
  ]);
  const lines = data.toString('base64').match(/.{1,70}/g) ?? [];
  const [begin, end] = ['BEGIN', 'END'].map((word) => `-----${word} OPENSSH PRIVATE KEY-----`);
  return {
    privateFile: `${[begin, ...lines, end].join('\n')}\n`,
    publicLine: `${type} ${blob.toString('base64')} token`,
  };
}

function field(value: string | Buffer): Buffer {
  const bytes = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}
