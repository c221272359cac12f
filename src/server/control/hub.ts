/** The server's end of all control connections: who is connected, what they say, what they are told. */
import type { WebSocket } from 'ws';
import {
  unreachableAfterMs,
  type AgentCommand,
  type GitCredential,
  type Observation,
  type PeerToServer,
  type RoutingTable,
  type ServerToPeer,
} from '../../contract/control-protocol.ts';
import { newId } from '../../contract/ids.ts';
import { NexusError, toNexusError } from '../../contract/errors.ts';
import type { StreamTarget } from '../../contract/stream-client.ts';
import type { Identity } from '../../lib/identity.ts';
import type { Logger } from '../../lib/log.ts';
import { limitLog } from '../../lib/log-limit.ts';
import type { Peers } from '../collaborators.ts';
import { listNodes, updateNode } from '../store/nodes.ts';
import { openOperations } from '../store/operations.ts';
import type { NodeRow } from '../store/schema.ts';
import { findSetting, putSetting } from '../store/settings.ts';
import type { Store } from '../store/store.ts';
import { admitPeer, handshakeTimeoutMs } from './admit-peer.ts';
import { createCommandLine, type CommandOptions } from './command-line.ts';
import { createLiveness } from './liveness.ts';
import { createPace } from './pace.ts';
import { peerConnection, type PeerConnection } from './peer-connection.ts';
import { createPeerEvents, type PeerEvents } from './peer-events.ts';

export type Hub = Peers &
  Disposable & {
    readonly events: Pick<PeerEvents, 'listen'>;
    /** Takes a WebSocket at the control path; must be called in the turn in which it was accepted. */
    accept(socket: WebSocket): void;
    /** Does a command of the journal. */
    run(
      node: string,
      operation: { readonly id: string; readonly command: AgentCommand },
      options: Pick<CommandOptions, 'timeoutMs' | 'onProgress'>,
    ): Promise<Observation>;
    /** The answers to these were written down. */
    forget(node: string, ids: readonly string[]): void;
    isReachable(node: string): boolean;
    /** Of any peer that is connected now. */
    versionOf(name: string): string | null;
    /** The gateway works by this table from now on, whenever it is there. */
    sendRoutes(table: RoutingTable): void;
    /** All that the node is lent from now on. Returns whether it is there to be told. */
    sendGitCredentials(node: string, credentials: readonly GitCredential[]): boolean;
    /** Where streams are taken, without a key; null until a gateway was there for the first time. */
    streamAddress(): { readonly host: string; readonly port: number } | null;
  };

export type HubOptions = {
  readonly store: Store;
  readonly identity: Identity;
  readonly clusterId: string;
  readonly log: Logger;
  readonly now: () => Date;
  readonly silenceMs?: number;
};

type Peer = { readonly row: NodeRow; readonly connection: PeerConnection };
type StreamAddress = Omit<StreamTarget, 'key'>;

const streamAddressSetting = 'stream_address';
/** Connections that have not yet proved who they are. */
const maxStrangers = 256;

export async function createHub(options: HubOptions): Promise<Hub> {
  const { store, identity, clusterId, now, silenceMs = unreachableAfterMs } = options;
  const log = limitLog(options.log);
  const strangers = new Set<PeerConnection>();
  const pace = createPace();
  const events = createPeerEvents();
  const peers = new Map<string, Peer>();
  const heardOf = new Set<string>();
  const instances = new Map<string, Set<string>>();
  let table: RoutingTable | null = null;
  let streamAddress = parseAddress(await findSetting(store.db, streamAddressSetting));
  const commands = createCommandLine((node, message) => tell(node, message));
  const liveness = createLiveness({
    silenceMs,
    onChange(node, reachable) {
      if (!reachable) {
        peers.get(node)?.connection.terminate();
        commands.unreachable(node);
      }
      events.emit({ type: 'reachability', node, reachable });
    },
  });
  // A server that comes back gives its nodes the time to do so too before it calls them unreachable.
  for (const { name } of await listNodes(store.db, 'agent')) liveness.heard(name);

  function hearOf(node: string): void {
    heardOf.add(node);
    liveness.heard(node);
  }
  function tell(name: string, message: ServerToPeer): boolean {
    const connection = peers.get(name)?.connection;
    connection?.send(message);
    return connection?.isOpen ?? false;
  }
  function connectedAs(role: NodeRow['role']): Peer[] {
    return [...peers.values()].filter((peer) => peer.row.role === role);
  }
  function streamsOf(row: NodeRow): StreamTarget | null {
    return streamAddress && { ...streamAddress, key: row.stream_key };
  }

  async function converse(connection: PeerConnection): Promise<void> {
    const deadline = setTimeout(() => connection.terminate(), handshakeTimeoutMs);
    const row = await admitPeer(connection, { identity, store, pace }).finally(() => clearTimeout(deadline));
    strangers.delete(connection);
    const { name, role } = row;
    // Read before anything new can be sent to it.
    const unsettled = await openOperations(store.db);
    peers.get(name)?.connection.close('another connection of the same peer took its place');
    const peer = { row, connection };
    peers.set(name, peer);
    log.info({ peer: name, role, version: row.version }, 'a peer connected');
    const silence = setTimeout(() => connection.terminate(), silenceMs);
    try {
      connection.send({ type: 'welcome', cluster_id: clusterId, streams: role === 'agent' ? streamsOf(row) : null });
      if (role === 'agent') {
        const ids = [...unsettled.filter(({ node }) => node === name).map(({ id }) => id), ...commands.awaited(name)];
        connection.send({ type: 'keep', ids });
      }
      greet(peer);
      for await (const message of connection.messages) {
        silence.refresh();
        if (peers.get(name) === peer) await hear(peer, message);
      }
    } finally {
      clearTimeout(silence);
      if (peers.get(name) === peer) {
        peers.delete(name);
        commands.disconnected(name);
        log.info({ peer: name, role }, 'a peer disconnected');
        events.emit({ type: 'disconnected', role, name });
      }
    }
  }

  function greet({ row, connection }: Peer): void {
    if (row.role === 'agent') {
      hearOf(row.name);
      commands.connected(row.name);
    } else if (table) connection.send({ type: 'routes', table });
    events.emit({ type: 'connected', role: row.role, name: row.name, version: row.version ?? '' });
  }

  /** What is written down is waited for: a peer that says more is heard later. */
  async function hear({ row }: Peer, message: PeerToServer): Promise<void> {
    const { name, role } = row;
    if (role === 'agent') hearOf(name);
    if (message.type === 'heartbeat') return written(writeHeartbeat(name, message));
    if (role === 'agent') return hearAgent(name, message);
    if (message.type === 'listening') return written(moveStreams(message));
    if (message.type === 'routes_applied') return events.emit(message);
    if (message.type === 'ssh_connected')
      events.emit({ type: 'ssh_connected', workspaceId: message.workspace_id, seconds: message.seconds });
  }

  function hearAgent(node: string, message: PeerToServer): void {
    if (message.type === 'answer') {
      if (message.ok && message.seen.instance === 'absent') instances.get(node)?.delete(message.seen.workspace_id);
      commands.answered(node, message);
    }
    if (message.type === 'progress') commands.progressed(node, message);
    if (message.type === 'instances') instances.set(node, new Set(message.instances.map((one) => one.workspace_id)));
    if (message.type === 'instances') events.emit({ type: 'instances', node, instances: message.instances });
    if (message.type === 'git_rejected') events.emit({ type: 'git_rejected', node, workspaceId: message.workspace_id });
    if (message.type === 'services') {
      events.emit({ type: 'services', node, workspaceId: message.workspace_id, services: message.services });
    }
  }

  async function writeHeartbeat(
    name: string,
    { providers }: Extract<PeerToServer, { type: 'heartbeat' }>,
  ): Promise<void> {
    const news = {
      last_heartbeat: now().toISOString(),
      ...(providers ? { providers_json: JSON.stringify(providers) } : {}),
    };
    await store.transaction((tx) => updateNode(tx, name, news));
    events.emit({ type: 'heartbeat', node: name, providers });
  }

  async function moveStreams({ host, port }: StreamAddress): Promise<void> {
    streamAddress = { host, port };
    for (const { row, connection } of connectedAs('agent'))
      connection.send({ type: 'streams', streams: streamsOf(row) });
    await store.transaction((tx) => putSetting(tx, streamAddressSetting, JSON.stringify({ host, port })));
  }

  async function written(work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => log.error({ err: error }, 'a message of a peer could not be written down'));
  }

  /** Who has proved itself is in within milliseconds: when there are too many, the one that has taken longest goes. */
  function takeIn(stranger: PeerConnection, socket: WebSocket): void {
    const [oldest] = strangers;
    if (oldest && strangers.size >= maxStrangers) {
      strangers.delete(oldest);
      oldest.terminate();
    }
    strangers.add(stranger);
    socket.once('close', () => strangers.delete(stranger));
  }

  return {
    events,
    accept(socket) {
      const connection = peerConnection(socket);
      takeIn(connection, socket);
      converse(connection).catch((thrown: unknown) => {
        const error = toNexusError(thrown);
        log.warn({ err: error }, 'a control connection was ended');
        connection.send({ type: 'refused', error: error.toBody() });
        connection.close(error.code);
      });
    },
    run: (node, operation, how) => commands.run(node, operation, { ...how, patience: 'for_ever' }),
    async command(node, command, { timeoutMs }) {
      if (!liveness.isReachable(node)) throw new NexusError('node_unreachable', { node });
      const id = newId('op');
      return commands
        .run(node, { id, command }, { timeoutMs, patience: 'while_reachable' })
        .finally(() => tell(node, { type: 'forget', ids: [id] }));
    },
    forget(node, ids) {
      tell(node, { type: 'forget', ids: [...ids] });
    },
    disconnect(node) {
      peers.get(node)?.connection.close('the node was removed');
      heardOf.delete(node);
      instances.delete(node);
      liveness.forget(node);
    },
    nodeConnected: (node) => liveness.isReachable(node),
    instancesOn: (node) => [...(instances.get(node) ?? [])],
    hasHeardOf: (node) => heardOf.has(node),
    isReachable: (node) => liveness.isReachable(node),
    versionOf: (name) => peers.get(name)?.row.version ?? null,
    gateway() {
      const [gateway] = connectedAs('gateway');
      return { connected: gateway !== undefined, version: gateway?.row.version ?? null };
    },
    sendRoutes(next) {
      table = next;
      for (const { connection } of connectedAs('gateway')) connection.send({ type: 'routes', table: next });
    },
    sendGitCredentials: (node, credentials) => tell(node, { type: 'git_credentials', credentials: [...credentials] }),
    streamAddress: () => streamAddress,
    [Symbol.dispose]() {
      liveness[Symbol.dispose]();
      for (const { connection } of peers.values()) connection.terminate();
    },
  };
}

function parseAddress(text: string | undefined): StreamAddress | null {
  return text === undefined ? null : (JSON.parse(text) as StreamAddress);
}
