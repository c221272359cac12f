/** The conversation with one peer, from its welcome to the end of its connection: what it is told first, and what it says. */
import type { PeerToServer } from '../../contract/control-protocol.ts';
import type { StreamTarget } from '../../contract/stream-client.ts';
import { updateNode } from '../store/nodes.ts';
import { openOperations } from '../store/operations.ts';
import type { NodeRow, OperationRow } from '../store/schema.ts';
import type { Peer } from './connected-peers.ts';
import type { HubParts } from './hub-parts.ts';
import type { PeerConnection } from './peer-connection.ts';

type Said<Type extends PeerToServer['type']> = Extract<PeerToServer, { type: Type }>;

/** @throws invalid_request when it says what cannot be understood */
export async function converse(hub: HubParts, row: NodeRow, connection: PeerConnection): Promise<void> {
  const { peers, commands, events, log } = hub;
  const { name, role } = row;
  // Read before anything new can be sent to it.
  const unsettled = await openOperations(hub.store.db);
  const peer = { row, connection };
  peers.enter(peer);
  log.info({ peer: name, role, version: row.version }, 'a peer connected');
  const silence = setTimeout(() => connection.terminate(), hub.silenceMs);
  try {
    welcome(hub, peer, unsettled);
    for await (const message of connection.messages) {
      silence.refresh();
      if (peers.has(peer)) await hear(hub, peer, message);
    }
  } finally {
    clearTimeout(silence);
    if (peers.leave(peer)) {
      commands.disconnected(name);
      log.info({ peer: name, role }, 'a peer disconnected');
      events.emit({ type: 'disconnected', role, name });
    }
  }
}

function welcome(hub: HubParts, { row, connection }: Peer, unsettled: readonly OperationRow[]): void {
  const { nodes, commands, events, table, clusterId: cluster_id } = hub;
  const { name, role, version } = row;
  if (role === 'agent') {
    connection.send({ type: 'welcome', cluster_id, streams: streamsOf(hub, row) });
    const ids = [...unsettled.filter(({ node }) => node === name).map(({ id }) => id), ...commands.awaited(name)];
    connection.send({ type: 'keep', ids });
    nodes.heard(name);
    commands.connected(name);
  } else {
    connection.send({ type: 'welcome', cluster_id, streams: null });
    if (table) connection.send({ type: 'routes', table });
  }
  events.emit({ type: 'connected', role, name, version: version ?? '' });
}

/** What is written down is waited for: a peer that says more is heard later. */
async function hear(hub: HubParts, { row }: Peer, message: PeerToServer): Promise<void> {
  const { name, role } = row;
  const { nodes, events } = hub;
  if (role === 'agent') nodes.heard(name);
  if (message.type === 'heartbeat') return written(hub, writeHeartbeat(hub, name, message));
  if (role === 'agent') return hearAgent(hub, name, message);
  if (message.type === 'listening') return written(hub, moveStreams(hub, row, message));
  if (message.type === 'routes_applied') return events.emit(message);
  if (message.type === 'ssh_connected')
    events.emit({ type: 'ssh_connected', workspaceId: message.workspace_id, seconds: message.seconds });
}

function hearAgent({ nodes, commands, events }: HubParts, node: string, message: PeerToServer): void {
  if (message.type === 'answer') {
    if (message.ok && message.seen.instance === 'absent') nodes.instanceRemoved(node, message.seen.workspace_id);
    commands.answered(node, message);
  }
  if (message.type === 'progress') commands.progressed(node, message);
  if (message.type === 'instances') {
    const { instances } = message;
    nodes.hasInstances(
      node,
      instances.map((one) => one.workspace_id),
    );
    events.emit({ type: 'instances', node, instances });
  }
  if (message.type === 'git_rejected') events.emit({ type: 'git_rejected', node, workspaceId: message.workspace_id });
  if (message.type === 'services')
    events.emit({ type: 'services', node, workspaceId: message.workspace_id, services: message.services });
}

async function writeHeartbeat(hub: HubParts, name: string, { providers }: Said<'heartbeat'>): Promise<void> {
  const news = {
    last_heartbeat: hub.now().toISOString(),
    ...(providers ? { providers_json: JSON.stringify(providers) } : {}),
  };
  await hub.store.transaction((tx) => updateNode(tx, name, news));
  hub.events.emit({ type: 'heartbeat', node: name, providers });
}

async function moveStreams(hub: HubParts, gateway: NodeRow, address: Said<'listening'>): Promise<void> {
  const moved = hub.streams.move({ ...address, machine: gateway.machine ?? undefined });
  for (const { row, connection } of hub.peers.withRole('agent'))
    connection.send({ type: 'streams', streams: streamsOf(hub, row) });
  await moved;
}

function streamsOf({ streams, streamKeys }: HubParts, row: NodeRow): StreamTarget | null {
  const address = streams.from(row.machine ?? '');
  return address && { ...address, key: streamKeys.of(row) };
}

async function written({ log }: HubParts, work: Promise<void>): Promise<void> {
  await work.catch((error: unknown) => log.error({ err: error }, 'a message of a peer could not be written down'));
}
