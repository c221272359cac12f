/** Where peers come in. Until they have proved who they are they are strangers, of whom there are only so many. */
import type { WebSocket } from 'ws';
import type { Identity } from '../../lib/identity.ts';
import type { NodeRow } from '../store/schema.ts';
import type { Store } from '../store/store.ts';
import { admitPeer, handshakeTimeoutMs } from './admit-peer.ts';
import { createPace } from './pace.ts';
import type { PeerConnection } from './peer-connection.ts';

export type Door = {
  /** @throws unauthorized when the peer is not to come in, timeout when it does not go on */
  admit(connection: PeerConnection, socket: WebSocket): Promise<NodeRow>;
};

const maxStrangers = 256;

export function createDoor({ identity, store }: { readonly identity: Identity; readonly store: Store }): Door {
  const strangers = new Set<PeerConnection>();
  const pace = createPace();

  /** Who has proved itself is in within milliseconds: when there are too many, the one that has taken longest goes. */
  function makeRoom(): void {
    const [oldest] = strangers;
    if (!oldest || strangers.size < maxStrangers) return;
    strangers.delete(oldest);
    oldest.terminate();
  }

  return {
    async admit(connection, socket) {
      makeRoom();
      strangers.add(connection);
      socket.once('close', () => strangers.delete(connection));
      const deadline = setTimeout(() => connection.terminate(), handshakeTimeoutMs);
      const row = await admitPeer(connection, { identity, store, pace }).finally(() => clearTimeout(deadline));
      strangers.delete(connection);
      return row;
    },
  };
}
