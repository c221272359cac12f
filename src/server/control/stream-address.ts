/** Where the gateway takes streams. It is kept, so that agents park theirs there before a gateway is back. */
import type { PeerToServer } from '../../contract/control-protocol.ts';
import type { StreamTarget } from '../../contract/stream-client.ts';
import { findSetting, putSetting } from '../store/settings.ts';
import type { Store } from '../store/store.ts';

export type StreamAddress = Omit<StreamTarget, 'key'>;

/** What a gateway said, and the machine that it runs on; an older server did not keep that. */
export type GatewayAddress = Omit<Extract<PeerToServer, { type: 'listening' }>, 'type'> & {
  readonly machine?: string | undefined;
};

export type StreamAddresses = {
  /** As somebody on this machine reaches it. Null until a gateway was there for the first time. */
  from(machine: string): StreamAddress | null;
  /** Counts at once; returns when it is written down. */
  move(address: GatewayAddress): Promise<void>;
};

const setting = 'stream_address';

/** @param publicHost by which other machines reach the gateway */
export async function openStreamAddresses(store: Store, publicHost: string): Promise<StreamAddresses> {
  const kept = await findSetting(store.db, setting);
  let current = kept === undefined ? null : (JSON.parse(kept) as GatewayAddress);
  return {
    from: (machine) => current && streamAddressFor(current, machine, publicHost),
    async move({ host, port, certificate_sha256, machine }) {
      current = { host, port, certificate_sha256, machine };
      await store.transaction((tx) => putSetting(tx, setting, JSON.stringify(current)));
    },
  };
}

const everyInterface: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

export function streamAddressFor(gateway: GatewayAddress, machine: string, publicHost: string): StreamAddress {
  const { machine: gatewayMachine, ...address } = gateway;
  if (!everyInterface.has(gateway.host)) return address;
  return { ...address, host: gatewayMachine === machine ? '127.0.0.1' : publicHost };
}
