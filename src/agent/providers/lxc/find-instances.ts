import type { Instance } from '../provider.ts';
import { instancesOf } from './addresses.ts';
import type { EngineClient } from './engine-client.ts';
import { isNotFound, unavailable } from './engine-failure.ts';
import { engineInstance, isWorkspaceOf, toInstance } from './instance-config.ts';
import { instanceName } from './layout.ts';

/** Null: there is none, or it is another cluster's. @throws provider_unavailable */
export async function findInstance(engine: EngineClient, clusterId: string, id: string): Promise<Instance | null> {
  try {
    const found = await engine.get(`/1.0/instances/${instanceName(id)}`, engineInstance);
    return isWorkspaceOf(clusterId, found) ? toInstance(found) : null;
  } catch (thrown) {
    if (isNotFound(thrown)) return null;
    throw unavailable(thrown);
  }
}

/** All workspaces of the cluster. @throws provider_unavailable */
export async function findInstances(engine: EngineClient, clusterId: string): Promise<Instance[]> {
  const all = await instancesOf(engine).catch((thrown: unknown) => {
    throw unavailable(thrown);
  });
  return all.flatMap((found) => (isWorkspaceOf(clusterId, found) ? (toInstance(found) ?? []) : []));
}
