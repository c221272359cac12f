import { randomBytes } from 'node:crypto';
import { findSetting, putSetting } from './store/settings.ts';
import type { Store } from './store/store.ts';

export type ServerSecrets = {
  /** Tells this installation's instances from others' on the same engine: 16 of `[0-9a-f]`. */
  readonly clusterId: string;
  /** By which the gateway knows the server as an opener of streams: 32 bytes, base64. */
  readonly streamKey: string;
};

/** Made at the first start, and the same ever after. */
export function loadServerSecrets(store: Store): Promise<ServerSecrets> {
  return store.transaction(async (tx) => {
    async function setting(name: string, make: () => string): Promise<string> {
      const known = await findSetting(tx, name);
      if (known !== undefined) return known;
      const made = make();
      await putSetting(tx, name, made);
      return made;
    }
    return {
      clusterId: await setting('cluster_id', () => randomBytes(8).toString('hex')),
      streamKey: await setting('server_stream_key', () => randomBytes(32).toString('base64')),
    };
  });
}
