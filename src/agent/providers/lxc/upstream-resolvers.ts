import { readFile } from 'node:fs/promises';

/** systemd-resolved's own list of the servers behind its stub. */
const fallbackFile = '/run/systemd/resolve/resolv.conf';

/**
 * IPv4 addresses of the name servers that the host really asks, best first. A server on the loopback is of no use
 * to a workspace, so behind a local stub systemd-resolved's upstream servers are taken. Empty: none is known.
 */
export async function upstreamResolvers(
  files: readonly string[] = ['/etc/resolv.conf', fallbackFile],
): Promise<string[]> {
  for (const file of files) {
    const servers = parseResolvers(await readFile(file, 'utf8').catch(() => ''));
    if (servers.length > 0) return servers;
  }
  return [];
}

export function parseResolvers(text: string): string[] {
  return text
    .split('\n')
    .flatMap((line) => /^\s*nameserver\s+(\d+\.\d+\.\d+\.\d+)\s*$/.exec(line)?.[1] ?? [])
    .filter((address) => !address.startsWith('127.'));
}
