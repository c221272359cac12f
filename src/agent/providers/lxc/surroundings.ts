import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { scriptHead } from './provision-script.ts';

/**
 * What a workspace needs to know of the network its node is in: whom to ask for names, the extra certificate
 * authorities that the node trusts (a network that intercepts TLS has its own), and the proxy settings.
 */
export type Surroundings = {
  readonly resolvers: readonly string[];
  readonly certificates: readonly Certificate[];
  readonly proxy: Readonly<Record<string, string>>;
};

export type Certificate = { readonly name: string; readonly pem: string };

const proxyNames = ['http_proxy', 'https_proxy', 'no_proxy', 'ftp_proxy', 'all_proxy'];
const certificatesFolder = '/usr/local/share/ca-certificates';

export type SurroundingsOptions = {
  readonly resolvers: readonly string[];
  /** Whether certificates and proxy are taken over from the node. */
  readonly carry: boolean;
  readonly folder?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
};

export async function readSurroundings(options: SurroundingsOptions): Promise<Surroundings> {
  const { resolvers, carry, folder = certificatesFolder, env = process.env } = options;
  if (!carry) return { resolvers, certificates: [], proxy: {} };
  const found = await readdir(folder, { recursive: true }).catch(() => []);
  const names = found.filter((name) => name.endsWith('.crt')).toSorted();
  const certificates = await Promise.all(
    names.map(async (name) => ({
      name: name.replaceAll(/[^A-Za-z0-9._-]/g, '-'),
      pem: await readFile(`${folder}/${name}`, 'utf8'),
    })),
  );
  return { resolvers, certificates, proxy: proxySettings(env) };
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

/** Content of `/etc/resolv.conf`. */
export function resolverFile({ resolvers }: Surroundings): string {
  return `${resolvers.map((address) => `nameserver ${address}\n`).join('')}options timeout:2 attempts:3\n`;
}

const environmentFile = '/etc/environment';

/**
 * What all sessions and services find in their environment; the node's certificates and proxy. Run it again
 * whenever one of these, or the set of packages, changes.
 */
export function surroundingsScript(surroundings: Surroundings): string {
  const { certificates, proxy } = surroundings;
  const bundle = '/etc/ssl/certs/ca-certificates.crt';
  const trust =
    certificates.length === 0 ? {} : { NODE_EXTRA_CA_CERTS: bundle, SSL_CERT_FILE: bundle, REQUESTS_CA_BUNDLE: bundle };
  const variables = Object.entries({ LANG: 'C.UTF-8', ...trust, ...proxy });
  return `${scriptHead}
rm -f /etc/resolv.conf
cat > /etc/resolv.conf <<'END'
${resolverFile(surroundings).trim()}
END
rm -f /usr/local/share/ca-certificates/nexus-*.crt
${certificates
  .map(({ name, pem }) => `cat > '/usr/local/share/ca-certificates/nexus-${name}' <<'END'\n${pem.trim()}\nEND\n`)
  .join('')}update-ca-certificates >/dev/null 2>&1
path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
for folder in /usr/lib/postgresql/*/bin; do [ ! -d "$folder" ] || path="$path:$folder"; done
cat > ${environmentFile} <<'END'
${variables.map(([name, value]) => `${name}=${value}`).join('\n')}
END
echo "PATH=$path" >> ${environmentFile}
sed 's/^\\([^=]*\\)=\\(.*\\)$/export \\1="\\2"/' ${environmentFile} > /etc/profile.d/nexus.sh
{ echo '[Manager]'; sed 's/%/%%/g; s/.*/DefaultEnvironment="&"/' ${environmentFile}; } > /etc/systemd/system.conf.d/nexus.conf
sed -n 's/^\\(https\\{0,1\\}\\)_proxy=\\(.*\\)$/Acquire::\\1::Proxy "\\2";/p' ${environmentFile} > /etc/apt/apt.conf.d/90nexus-proxy
printf 'Defaults env_keep += "${variables.map(([name]) => name).join(' ')}"\\n' > /etc/sudoers.d/91-nexus
chmod 440 /etc/sudoers.d/91-nexus
cat ${environmentFile}
`;
}
