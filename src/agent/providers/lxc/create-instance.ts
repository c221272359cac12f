import { NexusError } from '../../../contract/errors.ts';
import type { InstanceSpec } from '../provider.ts';
import type { Addresses } from './addresses.ts';
import { copyBase } from './copy-base.ts';
import type { EngineClient } from './engine-client.ts';
import { fromEngine, isAlreadyThere } from './engine-failure.ts';
import { hostMtu } from './host-mtu.ts';
import { instanceBody, networkDevice, type GuestApiSetting } from './instance-config.ts';
import { instanceName } from './layout.ts';
import { whenIdle } from './lifecycle.ts';
import { requireRoom } from './room.ts';

export type CreateContext = {
  readonly engine: EngineClient;
  readonly addresses: Addresses;
  readonly clusterId: string;
  readonly pool: string;
  readonly guestApi: () => Promise<GuestApiSetting>;
};

/**
 * Copies a base. An instance that is there stays as it is; one that is still being made, for an agent that died
 * meanwhile, is waited for.
 */
export async function createInstance(context: CreateContext, spec: InstanceSpec): Promise<void> {
  const { engine, addresses, clusterId, pool } = context;
  const name = instanceName(spec.id);
  const mtu = await hostMtu();
  try {
    await addresses.assign(name, {
      async make(address) {
        await requireRoom(engine, pool);
        const body = instanceBody(spec, { cluster: clusterId, pool, address, mtu, guestApi: await context.guestApi() });
        await copyBase(engine, name, body);
      },
      async move(address) {
        const devices = { eth0: networkDevice(name, { address, mtu }) };
        await engine.change('PATCH', `/1.0/instances/${name}`, { devices });
      },
    });
  } catch (thrown) {
    if (!isAlreadyThere(thrown))
      throw fromEngine(
        thrown,
        `pool ${pool}`,
        (reason) => new NexusError('container_start_failed', { instance: name, reason }),
      );
    await whenIdle(engine, name);
  }
}
