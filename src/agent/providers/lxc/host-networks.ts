import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { layout } from './layout.ts';

const privateBlocks = [
  { pattern: /^10\./, cidr: '10.0.0.0/8' },
  { pattern: /^172\.(?:1[6-9]|2\d|3[01])\./, cidr: '172.16.0.0/12' },
  { pattern: /^192\.168\./, cidr: '192.168.0.0/16' },
] as const;

/**
 * The IPv4 networks that the host is in: those that it reaches without a router. In a cloud that gives a machine one
 * address and a router for all else, its neighbours are in the same private block, which is taken whole.
 */
export async function hostNetworks(): Promise<string[]> {
  const routes = await readFile('/proc/net/route', 'utf8').catch(() => '');
  const addresses = Object.values(networkInterfaces()).flatMap((of) => of ?? []);
  const single = addresses.flatMap(({ family, cidr }) => (family === 'IPv4' && cidr?.endsWith('/32') ? [cidr] : []));
  const blocks = single.flatMap((address) => privateBlocks.find(({ pattern }) => pattern.test(address))?.cidr ?? []);
  return [...new Set([...parseDirectRoutes(routes), ...blocks])].toSorted();
}

/** From the table in the form of /proc/net/route, whose numbers are hexadecimal, the last byte of an address first. */
export function parseDirectRoutes(routes: string): string[] {
  const rows = routes.split('\n').slice(1);
  return rows.flatMap((row) => {
    const [name = '', destination = '', gateway, , , , , mask = ''] = row.split('\t').map((field) => field.trim());
    if (gateway !== '00000000' || mask === '00000000' || name.startsWith(layout.interfacePrefix)) return [];
    return [`${toAddress(destination)}/${prefixLength(mask)}`];
  });
}

function toAddress(hexadecimal: string): string {
  return Buffer.from(hexadecimal, 'hex').toReversed().join('.');
}

function prefixLength(mask: string): number {
  return Number.parseInt(mask, 16).toString(2).replaceAll('0', '').length;
}
