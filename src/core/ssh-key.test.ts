import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseSshPublicKey } from './ssh-key.ts';

// Made, and their fingerprints printed, by ssh-keygen.
const good: readonly [line: string, fingerprint: string][] = [
  [
    'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAINIpXMXMGOMvSvn6zNb0LGKcyFuENfMPQgQqrYieTUKy a b@c',
    'SHA256:Zyesx8bpMStOaLWyzqspOI6bPWKhq0Gf9hjZXgdUaWY',
  ],
  [
    'ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBNIZfcPBPY6hYHfxqUPG51CZPgmPxKACD91UsFPZlaSUjhwwIsYowW03eGJ4UEha1gYIyCfddjmsNwXFmla0kHk= a b@c',
    'SHA256:2xnyt1Kk/f/3YSpJimOsEOGH5Xs8U3DS5L/G+nq1lRU',
  ],
  [
    'ecdsa-sha2-nistp384 AAAAE2VjZHNhLXNoYTItbmlzdHAzODQAAAAIbmlzdHAzODQAAABhBFmRU7SmnZX3t1L2aL5QU8I4pdgjIPJO/KeXEdOoWqUjhX9oRptpUTpFvhejtjEZwvYR1XDvH1jpH54i1TiuhBv5KcTkl0rJZHuArSA2ic/GjPZ1gjktOoAan1R3CN69sQ== a b@c',
    'SHA256:v9OdDxK5AmLW3ytSjQ6pkI3Avk0a4wFqp+B0aJff+Lg',
  ],
  [
    'ecdsa-sha2-nistp521 AAAAE2VjZHNhLXNoYTItbmlzdHA1MjEAAAAIbmlzdHA1MjEAAACFBAAnM6GJRMb507D51EbuFDsNqMhVk8jz2b/Tch+1JNlIZItYcHKnP1G24yK2oxLpHmUGfGI9kYH6/Lvzwx6+GY2LTwAtSRDF2QstoZ3M+SrsUJMaVrSDM/DTHlQq3SHvMyMYYi6+Vu/JxTHpJszsUL6j+vvmA3lFNoX31rtAnX2mXcprxg== a b@c',
    'SHA256:KBQY6EfVYJZ8dZVhtoN0LspjUxe+ZqbURUYrvfWexu4',
  ],
  [
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC5nAgT8ubSSEVAfzAsAc05IAXxV8kyZJsnrBxlocH3vXsvL4XfZdl20mo/NIge5Tav5IyIc8L5xFHIP/LbDjBYKHm/Ap6sR/9ZrgmaieemVCvUk0NBZdXNRDbvDcOE3qZXrkeUbhKsma+wDWrH0S/BqZs/ki21pncM9f47qiBGGLyACFuLC0TlSx6zvX0LplWBQLbfpwsNC1lPo2GQuBKSRObVEar+PjqwZMZtCkCB6kmdJZXBly4t+uMQnJeUCt6Ytq8qtdSGPb55grvnwsdkZHIzfYPaGeHw2pYMcO8Jxt3o4Qhte0bIFED8ytJEZt8R/VDWhHpyZr42gdaeYgFV a b@c',
    'SHA256:lvuCZeKqTUcDVwAYOucA/jn6sneCzhCuXBmA/G2CmBI',
  ],
];
const smallRsa =
  'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDOMZqmsAHbY00zZoxIi5Tt8mKN1XtJvL0dGOKFX+ACiwT2CHM9DXUYvEgEf47lDx/NvskwHCc9Wvm5/R3jHkW/CJA4JDUAYG/PhEpXe3jpPegH0S7mVQngNcPreu+2p+G5H+kFu1u4npUEZApDsjWM5I+1IBPhG0JF59ZrT2Ngyw== a b@c';

for (const [line, fingerprint] of good) {
  const [type = '', base64 = ''] = line.split(' ');
  test(`a key of type ${type} is taken, without its comment`, () => {
    const expected = { type, line: `${type} ${base64}`, fingerprint };
    assert.deepEqual(parseSshPublicKey(line), expected);
    assert.deepEqual(parseSshPublicKey(`  ${type}\t${base64}\r\n`), expected);
  });
}

function wire(...fields: (string | Buffer)[]): string {
  const parts = fields.flatMap((field) => {
    const bytes = Buffer.from(field as string);
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return [length, bytes];
  });
  return Buffer.concat(parts).toString('base64');
}

function problemOf(text: string): string {
  const result = parseSshPublicKey(text);
  return 'problem' in result ? result.problem : 'none';
}

const ed25519 = 'ssh-ed25519';
const point = Buffer.from((good[1]?.[0] ?? '').split(' ')[1] ?? '', 'base64').subarray(-65);
const skEd25519 = 'sk-ssh-ed25519@openssh.com';
const skEcdsa = 'sk-ecdsa-sha2-nistp256@openssh.com';

test('keys of security tokens are taken', () => {
  assert.equal(problemOf(`${skEd25519} ${wire(skEd25519, Buffer.alloc(32, 1), 'ssh:')}`), 'none');
  assert.equal(problemOf(`${skEcdsa} ${wire(skEcdsa, 'nistp256', point, 'ssh:')}`), 'none');
});

const offCurve = Buffer.from(point);
offCurve[64] = (offCurve[64] ?? 0) ^ 1;
const damagedEd25519 = 'is cut off or damaged: it is not a key of type ssh-ed25519';
const damagedEcdsa = 'is cut off or damaged: it is not a key of type ecdsa-sha2-nistp256';
const damagedRsa = 'is cut off or damaged: it is not a key of type ssh-rsa';
const ecdsa = 'ecdsa-sha2-nistp256';
const privateKey = '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----';
const whatIsTaken =
  'must begin with its type: ssh-ed25519, ecdsa-sha2-nistp256, -nistp384 or -nistp521, sk-ssh-ed25519, sk-ecdsa-sha2-nistp256, or ssh-rsa';

const bad: readonly [name: string, text: string, problem: string][] = [
  ['nothing', '', whatIsTaken],
  [
    'a private key',
    privateKey,
    'is a private key; keep it to yourself, and give the one line of the .pub file beside it',
  ],
  [
    'a private key of PuTTY',
    'PuTTY-User-Key-File-3: ssh-ed25519',
    'is a private key; keep it to yourself, and give the one line of the .pub file beside it',
  ],
  ['two lines', `${good[0]?.[0]}\n${good[1]?.[0]}`, 'must be one line, as in a .pub file'],
  ['control characters', `${good[0]?.[0]}\u0007`, 'must not have control characters'],
  ['DSA', 'ssh-dss AAAA', whatIsTaken],
  ['options before the key', `no-pty ${good[0]?.[0]}`, whatIsTaken],
  ['no second word', ed25519, 'is cut off or damaged: its second word is not base64'],
  ['no base64', `${ed25519} AAA*`, 'is cut off or damaged: its second word is not base64'],
  ['cut within a length', `${ed25519} AAAA`, damagedEd25519],
  ['cut within a part', `${ed25519} ${Buffer.from([0, 0, 0, 9, 1, 2]).toString('base64')}`, damagedEd25519],
  ['of another type within', `${ed25519} ${wire('ssh-rsa', Buffer.alloc(32))}`, damagedEd25519],
  ['too short', `${ed25519} ${wire(ed25519, Buffer.alloc(31))}`, damagedEd25519],
  ['with more than belongs to it', `${ed25519} ${wire(ed25519, Buffer.alloc(32), 'x')}`, damagedEd25519],
  [
    'of a token, too short',
    `${skEd25519} ${wire(skEd25519, Buffer.alloc(32))}`,
    `is cut off or damaged: it is not a key of type ${skEd25519}`,
  ],
  ['of another curve', `${ecdsa} ${wire(ecdsa, 'nistp384', point)}`, damagedEcdsa],
  ['of an unknown curve', `${ecdsa} ${wire(ecdsa, 'nistp1', point)}`, damagedEcdsa],
  ['without its point', `${ecdsa} ${wire(ecdsa)}`, damagedEcdsa],
  [
    'with a compressed point',
    `${ecdsa} ${wire(ecdsa, 'nistp256', Buffer.concat([Buffer.from([2]), point.subarray(1, 33)]))}`,
    damagedEcdsa,
  ],
  ['with a point off the curve', `${ecdsa} ${wire(ecdsa, 'nistp256', offCurve)}`, damagedEcdsa],
  ['RSA without its modulus', `ssh-rsa ${wire('ssh-rsa', Buffer.from([3]))}`, damagedRsa],
  [
    'small RSA',
    smallRsa,
    'is an RSA key of 1024 bits; at least 2048 are needed (ssh-keygen -t ed25519 makes a better one)',
  ],
  [
    'RSA of nothing',
    `ssh-rsa ${wire('ssh-rsa', Buffer.from([3]), Buffer.alloc(2))}`,
    'is an RSA key of 0 bits; at least 2048 are needed (ssh-keygen -t ed25519 makes a better one)',
  ],
  [
    'huge RSA',
    `ssh-rsa ${wire('ssh-rsa', Buffer.from([3]), Buffer.alloc(2049, 0xff))}`,
    'is an RSA key of 16392 bits; at most 16384 are taken',
  ],
];
for (const [name, text, problem] of bad)
  test(`a key is refused: ${name}`, () => assert.equal(problemOf(text), problem));
