import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';

/**
 * What a workspace needs to know of the network its node is in: the extra certificate authorities that the node
 * trusts (a network that intercepts TLS has its own), and the proxy settings.
 */
export type Surroundings = {
  readonly certificates: readonly Certificate[];
  readonly proxy: Readonly<Record<string, string>>;
};

export type Certificate = { readonly name: string; readonly pem: string };

const proxyNames = ['http_proxy', 'https_proxy', 'no_proxy', 'ftp_proxy', 'all_proxy'];
const certificatesFolder = '/usr/local/share/ca-certificates';

export const noSurroundings: Surroundings = { certificates: [], proxy: {} };

export async function readSurroundings({
  folder = certificatesFolder,
  env = process.env,
}: { folder?: string; env?: Readonly<Record<string, string | undefined>> } = {}): Promise<Surroundings> {
  const found = await readdir(folder, { recursive: true }).catch(() => []);
  const names = found.filter((name) => name.endsWith('.crt')).toSorted();
  const certificates = await Promise.all(
    names.map(async (name) => ({
      name: name.replaceAll(/[^A-Za-z0-9._-]/g, '-'),
      pem: await readFile(`${folder}/${name}`, 'utf8'),
    })),
  );
  return { certificates, proxy: proxySettings(env) };
}

/** In lower and upper case, for programs differ in what they read. A proxy on the node's loopback is of no use inside. */
export function proxySettings(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const name of proxyNames) {
    const value = env[name] ?? env[name.toUpperCase()];
    if (!value || isLoopback(name, value)) continue;
    settings[name] = value;
    settings[name.toUpperCase()] = value;
  }
  return settings;
}

function isLoopback(name: string, value: string): boolean {
  return name !== 'no_proxy' && /^(?:[a-z0-9]+:\/\/)?(?:[^@/]*@)?(?:localhost|127\.|\[?::1)/i.test(value);
}

export function surroundingsFingerprint(surroundings: Surroundings): string {
  return createHash('sha256').update(JSON.stringify(surroundings)).digest('hex').slice(0, 16);
}
