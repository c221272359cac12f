/**
 * What the gateway shows to agents on other machines: a certificate that it signed itself, made once. Agents hear its
 * SHA-256 from the server, so that neither a name nor a date in it counts.
 */
import { KeyObject, X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { z } from 'zod';
import { writeFileAtomic } from '../lib/atomic-file.ts';
import type { Logger } from '../lib/log.ts';
import { loadFile } from './state-files.ts';

/** Both are PEM. */
const stored = z.object({ certificate: z.string(), private_key: z.string() });

export type StreamCertificate = {
  readonly certificate: string;
  readonly privateKey: string;
  /** As `fingerprint256` of node:crypto. */
  readonly sha256: string;
};

export async function loadStreamCertificate(stateDir: string, log: Logger): Promise<StreamCertificate> {
  const file = join(stateDir, 'stream-certificate.json');
  const found = await loadFile(file, stored, log);
  const { certificate, private_key: privateKey } = found ?? (await createCertificate());
  if (!found) {
    await writeFileAtomic(file, `${JSON.stringify({ certificate, private_key: privateKey })}\n`, { mode: 0o600 });
  }
  return { certificate, privateKey, sha256: new X509Certificate(certificate).fingerprint256 };
}

async function createCertificate(): Promise<z.infer<typeof stored>> {
  // Most gateways take streams on their own machine only.
  const [{ Integer, Utf8String }, { AttributeTypeAndValue, Certificate }] = await Promise.all([
    import('asn1js'),
    import('pkijs'),
  ]);
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify']);
  const certificate = new Certificate({ version: 2 });
  certificate.serialNumber = new Integer({ value: 1 });
  certificate.notBefore.value = new Date('2020-01-01T00:00:00Z');
  certificate.notAfter.value = new Date('2049-12-31T23:59:59Z');
  for (const name of [certificate.issuer, certificate.subject]) {
    const value = new Utf8String({ value: 'nexus gateway' });
    name.typesAndValues.push(new AttributeTypeAndValue({ type: commonName, value }));
  }
  await certificate.subjectPublicKeyInfo.importKey(keys.publicKey);
  await certificate.sign(keys.privateKey, 'SHA-256');
  return {
    certificate: new X509Certificate(Buffer.from(certificate.toSchema().toBER())).toString(),
    private_key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }),
  };
}

/** RFC 5280, appendix A.1. */
const commonName = '2.5.4.3';
