import { z } from 'zod';
import { NexusError } from '../../../contract/errors.ts';
import type { EngineClient } from './engine-client.ts';
import { fromEngine } from './engine-failure.ts';
import { whenNotBusy } from './lifecycle.ts';

const diskIds = 'volatile.last_state.idmap';
const wantedIds = 'volatile.idmap.next';

/**
 * Tells the engine that an instance's files have its ids already, as its root is mounted with a mapping
 * (`mappedRootfs`); it would rewrite the owner of each file otherwise. Needed before a first start, harmless later.
 * @throws container_start_failed
 */
export async function claimIds(engine: EngineClient, name: string): Promise<void> {
  const path = `/1.0/instances/${name}`;
  try {
    await whenNotBusy(async () => {
      const { config } = await engine.get(path, z.object({ config: z.record(z.string(), z.string()) }));
      const wanted = config[wantedIds];
      if (wanted !== undefined && wanted !== config[diskIds])
        await engine.change('PATCH', path, { config: { [diskIds]: wanted } });
    });
  } catch (thrown) {
    throw fromEngine(thrown, name, (reason) => new NexusError('container_start_failed', { instance: name, reason }));
  }
}
