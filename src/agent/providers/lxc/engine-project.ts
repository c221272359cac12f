import { z } from 'zod';
import type { EngineClient } from './engine-client.ts';
import { isNotFound } from './engine-failure.ts';

/** Where a node's set-up keeps its choices: in the engine's project, for the agent to find. */
export const rangeKey = 'user.nexus.range';
export const reachKey = 'user.nexus.reach';

export type ProjectNetwork = {
  /** Of the workspaces' addresses. */
  readonly range: string;
  /** Addresses and networks beside the host that workspaces may reach. */
  readonly reach: readonly string[];
};

/** What the node was set up with; null when it was not. @throws provider_unavailable */
export async function configuredNetwork(engine: EngineClient): Promise<ProjectNetwork | null> {
  try {
    const project = z.object({ config: z.record(z.string(), z.string()) });
    const { config } = await engine.get(`/1.0/projects/${engine.project}`, project);
    const range = config[rangeKey];
    return range === undefined ? null : { range, reach: (config[reachKey] ?? '').split(',').filter(Boolean) };
  } catch (thrown) {
    if (isNotFound(thrown)) return null;
    throw thrown;
  }
}
