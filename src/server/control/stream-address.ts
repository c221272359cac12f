/** Where the gateway takes streams. It is kept, so that agents park theirs there before a gateway is back. */
import type { StreamTarget } from '../../contract/stream-client.ts';
import { findSetting, putSetting } from '../store/settings.ts';
import type { Store } from '../store/store.ts';

type Address = Omit<StreamTarget, 'key'>;

export type StreamAddress = {
  /** Null until a gateway was there for the first time. */
  current(): Address | null;
  /** Counts at once; returns when it is written down. */
  move(address: Address): Promise<void>;
};

const setting = 'stream_address';

export async function openStreamAddress(store: Store): Promise<StreamAddress> {
  const kept = await findSetting(store.db, setting);
  let current = kept === undefined ? null : (JSON.parse(kept) as Address);
  return {
    current: () => current,
    async move({ host, port }) {
      current = { host, port };
      await store.transaction((tx) => putSetting(tx, setting, JSON.stringify({ host, port })));
    },
  };
}
