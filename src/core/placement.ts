/** Which node takes a new workspace. */
import { NexusError } from '../contract/errors.ts';
import type { ProviderHealth } from '../contract/node.ts';

export type Candidate = {
  readonly name: string;
  readonly connected: boolean;
  readonly draining: boolean;
  readonly providers: readonly ProviderHealth[];
  /** How many workspaces are on it. */
  readonly workspaces: number;
};

const smallestHeadroomBytes = 2 * 2 ** 30;
const headroomShare = 0.05;

/** A btrfs pool that is full turns read-only: this much of it stays free. */
export function headroomBytes(totalBytes: number): number {
  return Math.max(smallestHeadroomBytes, totalBytes * headroomShare);
}

/**
 * The node with the fewest workspaces among those that can take one.
 * @throws no_available_nodes (none is connected, or all drain), provider_unavailable, disk_full
 */
export function placeWorkspace(candidates: readonly Candidate[], provider: ProviderHealth['name']): string {
  if (candidates.length === 0) throw new NexusError('no_available_nodes', { reason: 'none has joined' });
  const connected = candidates.filter((node) => node.connected);
  if (connected.length === 0) {
    throw new NexusError('no_available_nodes', { reason: `${names(candidates)} does not answer` });
  }
  const open = connected.filter((node) => !node.draining);
  if (open.length === 0)
    throw new NexusError('no_available_nodes', { reason: `${names(connected)} takes no new ones (draining)` });
  if (open.every((node) => node.providers.length === 0)) {
    throw new NexusError('no_available_nodes', { reason: `${names(open)} has not told yet which engines it has` });
  }
  const able = open.filter((node) => healthOf(node, provider)?.ok);
  if (able.length === 0) {
    const reason =
      open.map((node) => healthOf(node, provider)?.reason).find(Boolean) ?? `${names(open)} has no ${provider}`;
    throw new NexusError('provider_unavailable', { provider, reason });
  }
  const roomy = able.filter((node) => hasRoom(healthOf(node, provider)));
  if (roomy.length === 0) throw new NexusError('disk_full', fullest(able, provider));
  const [best] = roomy.toSorted((a, b) => a.workspaces - b.workspaces || a.name.localeCompare(b.name));
  return best?.name ?? '';
}

/**
 * A disk that is nearly full stays so until somebody deletes something: nobody is to wait for it.
 * @throws disk_full when it is all that keeps a workspace from its node
 */
export function refuseFull(candidates: readonly Candidate[], provider: ProviderHealth['name']): void {
  try {
    placeWorkspace(candidates, provider);
  } catch (error) {
    if (error instanceof NexusError && error.code === 'disk_full') throw error;
  }
}

/** What is known of a node whether it is there or not. */
type KnownNode = Pick<Candidate, 'name' | 'draining' | 'providers'>;

/**
 * Lets a workspace wait only for a node that may take it one day: one that is away for the moment, or whose engine is
 * ill, or that has not told yet what it has.
 * @throws no_available_nodes
 */
export function refuseUnplaceable(nodes: readonly KnownNode[], provider: ProviderHealth['name']): void {
  if (nodes.length === 0) throw new NexusError('no_available_nodes', { reason: 'none has joined' });
  const open = nodes.filter((node) => !node.draining);
  if (open.length === 0)
    throw new NexusError('no_available_nodes', { reason: `${names(nodes)} takes no new ones (draining)` });
  if (open.some((node) => node.providers.length === 0 || healthOf(node, provider))) return;
  const offered = new Set(open.flatMap((node) => node.providers.map((health) => health.name)));
  const reason = `${names(open)} has no ${provider}, only ${[...offered].join(', ')}`;
  throw new NexusError('no_available_nodes', { reason });
}

function names(nodes: readonly Pick<Candidate, 'name'>[]): string {
  return nodes.map((node) => node.name).join(', ');
}

function healthOf(node: Pick<Candidate, 'providers'>, provider: ProviderHealth['name']): ProviderHealth | undefined {
  return node.providers.find((health) => health.name === provider);
}

/** An engine that does not tell its room is believed to have some. */
export function hasRoom(health: ProviderHealth | undefined): boolean {
  if (!health || health.disk_free_bytes === null || health.disk_total_bytes === null) return true;
  return health.disk_free_bytes >= headroomBytes(health.disk_total_bytes);
}

function fullest(nodes: readonly Candidate[], provider: ProviderHealth['name']): { where: string; free_bytes: number } {
  const free = Math.max(...nodes.map((node) => healthOf(node, provider)?.disk_free_bytes ?? 0));
  return { where: `the ${provider} pool of ${names(nodes)}`, free_bytes: free };
}
