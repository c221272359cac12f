/** What an image reference means: a release of a distribution, and where an image of it may be had. */
export type ImageReference = {
  readonly distribution: 'debian' | 'ubuntu';
  /** Name of the release in the distribution's mirror: `bookworm`, `jammy`. */
  readonly codename: string;
  readonly sources: readonly ImageSource[];
};

/** An alias on a simplestreams server. */
export type ImageSource = { readonly server: string; readonly alias: string };

const codenames: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  debian: { '11': 'bullseye', '12': 'bookworm', '13': 'trixie' },
  ubuntu: { '20.04': 'focal', '22.04': 'jammy', '24.04': 'noble', '26.04': 'resolute' },
};

const communityServers = ['https://images.lxd.canonical.com', 'https://images.linuxcontainers.org'];
const ubuntuServer = 'https://cloud-images.ubuntu.com/releases';

/**
 * Understands `debian:12`, `debian:bookworm`, `images:debian/12`, `images:debian/12/cloud`, `ubuntu:22.04`,
 * `images:ubuntu/jammy`. Null for everything else.
 */
export function parseImageReference(text: string): ImageReference | null {
  const match = /^(?:images:)?(debian|ubuntu)[:/]([a-z0-9.]+)(\/[a-z0-9]+)?$/.exec(text);
  const [, distribution, release] = match ?? [];
  if ((distribution !== 'debian' && distribution !== 'ubuntu') || release === undefined) return null;
  const known = codenames[distribution] ?? {};
  const codename = known[release] ?? (Object.values(known).includes(release) ? release : undefined);
  if (codename === undefined) return null;
  const version = Object.entries(known).find(([, name]) => name === codename)?.[0] ?? release;
  const community = communityServers.map((server) => ({ server, alias: `${distribution}/${codename}` }));
  const official = distribution === 'ubuntu' ? [{ server: ubuntuServer, alias: version }] : [];
  return { distribution, codename, sources: text.startsWith('images:') ? community : [...official, ...community] };
}

/** References of one release are one base: `images:debian/12` and `debian:bookworm` are `debian:bookworm`. */
export function canonicalImage({ distribution, codename }: ImageReference): string {
  return `${distribution}:${codename}`;
}
