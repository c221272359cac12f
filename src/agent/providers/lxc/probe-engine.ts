import { z } from 'zod';
import type { EngineHealth } from '../provider.ts';
import type { EngineClient } from './engine-client.ts';
import { unavailable } from './engine-failure.ts';

const server = z.object({ environment: z.object({ server: z.string(), server_version: z.string() }) });
const resources = z.object({ space: z.object({ used: z.number(), total: z.number() }) });

/** A heartbeat waits for it. */
const probeTimeoutMs = 5000;

/** How the engine names itself: `lxd` or `incus`. */
export async function engineKind(engine: EngineClient): Promise<string> {
  return (await engine.get('/1.0', server)).environment.server;
}

/** @throws provider_unavailable when the engine does not answer, or the node is not set up */
export async function probeEngine(engine: EngineClient, pool: string): Promise<EngineHealth> {
  try {
    const options = { timeoutMs: probeTimeoutMs };
    const [{ environment }, { space }] = await Promise.all([
      engine.get('/1.0', server, options),
      engine.get(`/1.0/storage-pools/${pool}/resources`, resources, options),
    ]);
    return {
      engine: environment.server,
      version: environment.server_version,
      diskTotalBytes: space.total,
      diskFreeBytes: space.total - space.used,
    };
  } catch (thrown) {
    throw unavailable(thrown);
  }
}
