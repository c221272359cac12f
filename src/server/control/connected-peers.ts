/** The agents and gateways that are connected now: one connection for each name, the newest. */
import type { ServerToPeer } from '../../contract/control-protocol.ts';
import type { NodeRow } from '../store/schema.ts';
import type { PeerConnection } from './peer-connection.ts';

export type Peer = { readonly row: NodeRow; readonly connection: PeerConnection };

export type ConnectedPeers = {
  /** In place of an earlier connection of the same peer, which is closed. */
  enter(peer: Peer): void;
  /** Returns whether it was there: another connection may have taken its place. */
  leave(peer: Peer): boolean;
  has(peer: Peer): boolean;
  find(name: string): Peer | undefined;
  withRole(role: NodeRow['role']): Peer[];
  /** Returns whether it is there to be told. */
  tell(name: string, message: ServerToPeer): boolean;
  terminateAll(): void;
};

export function createConnectedPeers(): ConnectedPeers {
  const peers = new Map<string, Peer>();
  const has = (peer: Peer): boolean => peers.get(peer.row.name) === peer;
  return {
    enter(peer) {
      const { name } = peer.row;
      peers.get(name)?.connection.close('another connection of the same peer took its place');
      peers.set(name, peer);
    },
    leave: (peer) => has(peer) && peers.delete(peer.row.name),
    has,
    find: (name) => peers.get(name),
    withRole: (role) => [...peers.values()].filter((peer) => peer.row.role === role),
    tell(name, message) {
      const connection = peers.get(name)?.connection;
      connection?.send(message);
      return connection?.isOpen ?? false;
    },
    terminateAll() {
      for (const { connection } of peers.values()) connection.terminate();
    },
  };
}
