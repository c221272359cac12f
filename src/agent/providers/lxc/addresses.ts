import { z } from 'zod';
import { NexusError } from '../../../contract/errors.ts';
import { createMutex } from '../../../lib/mutex.ts';
import { pickAddress, type AddressRange } from './address-range.ts';
import type { EngineClient } from './engine-client.ts';
import { engineInstance, type EngineInstance } from './instance-config.ts';

/** Gives each new instance of the project an address that no other has. */
export type Addresses = {
  /**
   * Calls `make` with a free address, and makes sure afterwards that it is still the only one to have it: agents
   * of other clusters share the range. `move` gives the made instance another.
   */
  assign(
    name: string,
    use: { make(address: string): Promise<void>; move(address: string): Promise<void> },
  ): Promise<string>;
};

export function createAddresses(engine: EngineClient, range: () => Promise<AddressRange>): Addresses {
  const oneAtATime = createMutex();
  /** Picked, but perhaps not yet to be seen on the engine. */
  const promised = new Set<string>();

  async function reserve(except: string): Promise<string> {
    return oneAtATime(async () => {
      const known = await instancesOf(engine);
      const taken = known.filter(({ name }) => name !== except).flatMap((instance) => addressOf(instance) ?? []);
      const address = pickAddress(await range(), new Set([...taken, ...promised]));
      if (address === null)
        throw new NexusError('insufficient_node_resources', { reason: `all addresses of the node are in use` });
      promised.add(address);
      return address;
    });
  }

  async function isShared(name: string, address: string): Promise<boolean> {
    const known = await instancesOf(engine);
    return known.some((instance) => instance.name !== name && addressOf(instance) === address);
  }

  return {
    async assign(name, use) {
      let address = await reserve(name);
      try {
        await use.make(address);
        while (await isShared(name, address)) {
          promised.delete(address);
          address = await reserve(name);
          await use.move(address);
        }
      } finally {
        promised.delete(address);
      }
      return address;
    },
  };
}

export async function instancesOf(engine: EngineClient): Promise<EngineInstance[]> {
  return engine.get('/1.0/instances', z.array(engineInstance), { query: { recursion: '1' } });
}

function addressOf({ devices }: EngineInstance): string | undefined {
  return devices['eth0']?.['ipv4.address'];
}
