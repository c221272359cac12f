import type { PeerToServer, ServiceReport } from '../../contract/control-protocol.ts';
import type { ProviderHealth } from '../../contract/node.ts';

type Message<T extends PeerToServer['type']> = Extract<PeerToServer, { type: T }>;

/** What the rest of the server hears of agents and gateways. */
export type PeerEvent =
  /** A peer went through the handshake. */
  | { readonly type: 'connected'; readonly role: 'agent' | 'gateway'; readonly name: string; readonly version: string }
  | { readonly type: 'disconnected'; readonly role: 'agent' | 'gateway'; readonly name: string }
  /** A node answers (again), or was not heard of for too long. */
  | { readonly type: 'reachability'; readonly node: string; readonly reachable: boolean }
  /** `providers`: absent when it did not say how they are. */
  | {
      readonly type: 'heartbeat';
      readonly node: string;
      readonly providers: readonly ProviderHealth[] | undefined;
    }
  | { readonly type: 'instances'; readonly node: string; readonly instances: Message<'instances'>['instances'] }
  | {
      readonly type: 'services';
      readonly node: string;
      readonly workspaceId: string;
      readonly services: readonly ServiceReport[];
    }
  | { readonly type: 'routes_applied'; readonly version: number; readonly failed: Message<'routes_applied'>['failed'] }
  /** GitHub did not accept the token that git in this workspace was lent. */
  | { readonly type: 'git_rejected'; readonly node: string; readonly workspaceId: string }
  | { readonly type: 'ssh_connected'; readonly workspaceId: string; readonly seconds: number };

export type PeerEvents = {
  /** Returns what ends it. */
  listen(listener: (event: PeerEvent) => void): () => void;
  emit(event: PeerEvent): void;
};

export function createPeerEvents(): PeerEvents {
  const listeners = new Set<(event: PeerEvent) => void>();
  return {
    listen(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    emit(event) {
      for (const listener of listeners) listener(event);
    },
  };
}
