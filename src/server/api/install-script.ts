/** The install script's text. Whoever runs it runs all of it: nothing may get into it that is not checked here. */

type Asked = {
  readonly scheme: 'http' | 'https';
  /** The request's `Host`: anybody may have written it. */
  readonly askedHost: string | undefined;
  /** As configured, without a port. */
  readonly publicHost: string;
  /** Where the server listens. */
  readonly port: number;
};

/** The server's address as the one who asks knows it, or as it is configured when that is none. */
export function serverAddress({ scheme, askedHost, publicHost, port }: Asked): URL {
  const configured = publicHost.includes(':') ? `[${publicHost}]:${port}` : `${publicHost}:${port}`;
  const [first] = [askedHost, configured].flatMap((host) => addressOf(scheme, host) ?? []);
  return first ?? new URL(`${scheme}://127.0.0.1:${port}`);
}

function addressOf(scheme: string, host: string | undefined): URL | null {
  return host !== undefined && /^[A-Za-z0-9.:[\]-]+$/.test(host) ? URL.parse(`${scheme}://${host}`) : null;
}

/**
 * @param checksums the SHA-256 in hex, or the empty text, by platform
 * @throws Error when a place of the template has no value, or a value could end its quotes
 */
export function fillInstallScript(template: string, server: URL, checksums: Readonly<Record<string, string>>): string {
  const values: Record<string, string> = {
    SERVER: server.origin,
    SERVER_HOST: `${server.protocol}//${server.hostname}`,
    SERVER_PORT: server.port || (server.protocol === 'https:' ? '443' : '80'),
  };
  for (const [platform, checksum] of Object.entries(checksums))
    values[`SHA256_${platform.replace('-', '_').toUpperCase()}`] = checksum;
  return template.replaceAll(/@([A-Z0-9_]+)@/g, (_, place: string) => {
    const value = values[place];
    if (value === undefined || !/^[A-Za-z0-9.:[\]/-]*$/.test(value))
      throw new Error(`the install script cannot have ${JSON.stringify(value)} as ${place}`);
    return value;
  });
}
