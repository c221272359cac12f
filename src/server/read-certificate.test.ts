import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { readCertificate } from './read-certificate.ts';

test('a certificate that is not there, or is none, is a fault of the configuration', () => {
  const folder = mkdtempSync(join(tmpdir(), 'nexus-certificate-'));
  try {
    const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')];
    assert.throws(() => readCertificate({ cert, key }), {
      code: 'config_invalid',
      message: `configuration: tls.cert: ${cert}: there is no such file`,
      hint: 'nexus server start --help',
    });
    writeFileSync(cert, 'not PEM');
    assert.throws(() => readCertificate({ cert, key: folder }), {
      message: `configuration: tls.key: ${folder}: it is a folder`,
    });
    writeFileSync(key, 'not PEM');
    assert.throws(() => readCertificate({ cert, key }), {
      code: 'config_invalid',
      message: /^configuration: tls: .* are not a PEM certificate and its key: /,
    });
  } finally {
    rmSync(folder, { recursive: true });
  }
});
