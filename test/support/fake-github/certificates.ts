/** A certificate authority of its own, and a certificate by it for GitHub's names; made by openssl for each run. */
import { execa } from 'execa';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Certificates = {
  /** PEM file of the authority alone. */
  readonly caFile: string;
  /** PEM file of the authority and of those that the system trusts. */
  readonly bundleFile: string;
  readonly cert: string;
  readonly key: string;
};

const systemBundles = ['/etc/ssl/certs/ca-certificates.crt', '/etc/ssl/cert.pem'];

/** @param names DNS names, or addresses as `IP:127.0.0.1` */
export async function makeCertificates(folder: string, names: readonly string[]): Promise<Certificates> {
  const file = (name: string): string => join(folder, name);
  const newKey = 'req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes';
  await openssl(folder, `${newKey} -x509 -days 2 -keyout ca.key -out ca.pem`, '-subj', '/CN=Fake GitHub CA');
  const alternatives = names.map((name) => (name.startsWith('IP:') ? name : `DNS:${name}`)).join(',');
  await writeFile(file('server.ext'), `subjectAltName=${alternatives}\nextendedKeyUsage=serverAuth\n`);
  await openssl(folder, `${newKey} -keyout server.key -out server.csr -subj /CN=github.com`);
  const signed = '-CA ca.pem -CAkey ca.key -CAcreateserial -extfile server.ext -out server.pem';
  await openssl(folder, `x509 -req -days 2 -in server.csr ${signed}`);
  const ca = await readFile(file('ca.pem'), 'utf8');
  await writeFile(file('bundle.pem'), `${ca}\n${await systemBundle()}`);
  return {
    caFile: file('ca.pem'),
    bundleFile: file('bundle.pem'),
    cert: await readFile(file('server.pem'), 'utf8'),
    key: await readFile(file('server.key'), 'utf8'),
  };
}

async function openssl(cwd: string, words: string, ...more: string[]): Promise<void> {
  await execa('openssl', [...words.split(' '), ...more], { cwd });
}

async function systemBundle(): Promise<string> {
  for (const path of systemBundles) {
    const text = await readFile(path, 'utf8').catch(() => null);
    if (text !== null) return text;
  }
  return '';
}
