import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { NexusError } from '../../../contract/errors.ts';
import { headroomBytes } from '../../../core/placement.ts';
import type { EngineClient } from './engine-client.ts';

const gibibyte = 1024 ** 3;
/** A full disk under the pool's file damages what is in it. */
const leastHostBytes = gibibyte;

const resources = z.object({ space: z.object({ used: z.number(), total: z.number() }) });

/** What has too little room for another workspace, with what it has left; null: nothing. */
export async function shortOfRoom(
  engine: EngineClient,
  pool: string,
  freeOf: (path: string) => Promise<number> = hostFree,
): Promise<{ where: string; free_bytes: number } | null> {
  const [{ space }, hostBytes] = await Promise.all([
    engine.get(`/1.0/storage-pools/${pool}/resources`, resources),
    freeOf(dirname(engine.socketPath)),
  ]);
  const poolBytes = space.total - space.used;
  if (poolBytes < headroomBytes(space.total)) return { where: `the storage pool ${pool}`, free_bytes: poolBytes };
  return hostBytes < leastHostBytes ? { where: "the engine's disk", free_bytes: hostBytes } : null;
}

/** @throws disk_full before the last of the room is used */
export async function requireRoom(engine: EngineClient, pool: string): Promise<void> {
  const short = await shortOfRoom(engine, pool);
  if (short) throw new NexusError('disk_full', short);
}

async function hostFree(path: string): Promise<number> {
  const { bavail, bsize } = await statfs(path);
  return bavail * bsize;
}
