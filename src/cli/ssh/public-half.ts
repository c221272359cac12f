/**
 * The public half of a private key file in OpenSSH's own format (its PROTOCOL.key): it stands at the front, in clear
 * also where a passphrase protects the rest, which is not looked at.
 */

const armor = /-----BEGIN OPENSSH PRIVATE KEY-----([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----/;
const magic = 'openssh-key-v1\0';

/** One OpenSSH line without a comment; null for a file of another format. */
export function publicHalfOf(privateKeyFile: string): string | null {
  const data = Buffer.from(armor.exec(privateKeyFile)?.[1] ?? '', 'base64');
  if (data.toString('latin1', 0, magic.length) !== magic) return null;
  let at = magic.length;
  const next = (): Buffer | null => {
    const start = at + 4;
    if (start > data.length) return null;
    at = start + data.readUInt32BE(at);
    return at > data.length ? null : data.subarray(start, at);
  };
  const [cipher, kdf, kdfOptions] = [next(), next(), next()];
  if (cipher === null || kdf === null || kdfOptions === null) return null;
  // How many keys there are: OpenSSH writes one.
  at += 4;
  const blob = next();
  if (blob === null || blob.length < 4) return null;
  const type = blob.toString('latin1', 4, 4 + blob.readUInt32BE(0));
  return `${type} ${blob.toString('base64')}`;
}
