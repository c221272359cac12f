import { unreachableAfterMs, type RoutingTable } from '../../contract/control-protocol.ts';
import type { Identity } from '../../lib/identity.ts';
import type { Logger } from '../../lib/log.ts';
import { limitLog } from '../../lib/log-limit.ts';
import { listNodes } from '../store/nodes.ts';
import type { Store } from '../store/store.ts';
import type { StreamKeys } from '../stream-keys.ts';
import { createCommandLine, type CommandLine } from './command-line.ts';
import { createConnectedPeers, type ConnectedPeers } from './connected-peers.ts';
import { createKnownNodes, type KnownNodes } from './known-nodes.ts';
import { createPeerEvents, type PeerEvents } from './peer-events.ts';
import { openStreamAddresses, type StreamAddresses } from './stream-address.ts';

export type HubOptions = {
  readonly store: Store;
  readonly identity: Identity;
  readonly clusterId: string;
  readonly streamKeys: StreamKeys;
  /** The one that the server runs on. */
  readonly machine: string;
  /** By which other machines reach the gateway. */
  readonly publicHost: string;
  readonly log: Logger;
  readonly now: () => Date;
  readonly silenceMs?: number;
};

/** Where the conversations with peers and the rest of the server meet. */
export type HubParts = Required<HubOptions> & {
  readonly peers: ConnectedPeers;
  readonly nodes: KnownNodes;
  readonly commands: CommandLine;
  readonly streams: StreamAddresses;
  readonly events: PeerEvents;
  /** That gateways work by; null until it was made. */
  table: RoutingTable | null;
};

export async function openHubParts(options: HubOptions): Promise<HubParts> {
  const { store, silenceMs = unreachableAfterMs } = options;
  const events = createPeerEvents();
  const peers = createConnectedPeers();
  const commands = createCommandLine((node, message) => peers.tell(node, message));
  const nodes = createKnownNodes({
    silenceMs,
    onReachability(node, reachable) {
      if (!reachable) {
        peers.find(node)?.connection.terminate();
        commands.unreachable(node);
      }
      events.emit({ type: 'reachability', node, reachable });
    },
  });
  const streams = await openStreamAddresses(store, options.publicHost);
  // A server that comes back gives its nodes the time to do so too before it calls them unreachable.
  for (const { name } of await listNodes(store.db, 'agent')) nodes.expect(name);
  return { ...options, silenceMs, log: limitLog(options.log), peers, nodes, commands, streams, events, table: null };
}
