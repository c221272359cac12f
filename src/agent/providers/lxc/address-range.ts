import { randomInt } from 'node:crypto';

/** An IPv4 network. Its first 16 addresses are kept: .2 and .3 are the workspaces' name servers. */
export type AddressRange = {
  readonly cidr: string;
  readonly first: number;
  readonly size: number;
};

const reserved = 16;

/** @throws Error with what is wrong with the text */
export function parseRange(cidr: string): AddressRange {
  const match = /^(\d+\.\d+\.\d+\.\d+)\/(\d+)$/.exec(cidr);
  const bits = Number(match?.[2]);
  const base = match?.[1] === undefined ? null : toNumber(match[1]);
  if (base === null || bits < 8 || bits > 26)
    throw new Error(`${cidr} is not an IPv4 range such as 10.83.0.0/16 (/8 to /26)`);
  const size = 2 ** (32 - bits);
  if (base % size !== 0) throw new Error(`${cidr} does not start at a /${bits} border`);
  return { cidr, first: base, size };
}

/** The addresses that workspaces ask for names: the host turns them into its own upstream servers. */
export function resolverAddresses(range: AddressRange): readonly [string, string] {
  return [toText(range.first + 2), toText(range.first + 3)];
}

/** How many instances the range has room for. */
export function capacity(range: AddressRange): number {
  return range.size - reserved - 1;
}

/**
 * A free address, or null when all are taken. Random, so that two agents that share the range seldom want the same.
 */
export function pickAddress(
  range: AddressRange,
  taken: ReadonlySet<string>,
  random: (below: number) => number = randomInt,
): string | null {
  const count = capacity(range);
  const start = random(count);
  for (let step = 0; step < count; step++) {
    const address = toText(range.first + reserved + ((start + step) % count));
    if (!taken.has(address)) return address;
  }
  return null;
}

function toNumber(text: string): number | null {
  const parts = text.split('.').map(Number);
  if (parts.some((part) => part > 255)) return null;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');
}
