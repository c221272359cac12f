import { z } from 'zod';
import type { EngineClient } from './engine-client.ts';
import { isNotFound } from './engine-failure.ts';

/** Where a node's set-up keeps the range of the workspaces: in the engine's project, for the agent to find. */
export const rangeKey = 'user.nexus.range';

/** The range that the node was set up with; null when it was not. @throws provider_unavailable */
export async function configuredRange(engine: EngineClient): Promise<string | null> {
  try {
    const project = z.object({ config: z.record(z.string(), z.string()) });
    const found = await engine.get(`/1.0/projects/${engine.project}`, project);
    return found.config[rangeKey] ?? null;
  } catch (thrown) {
    if (isNotFound(thrown)) return null;
    throw thrown;
  }
}
