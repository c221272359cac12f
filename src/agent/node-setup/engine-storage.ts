import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { NexusError } from '../../contract/errors.ts';
import type { EngineClient } from '../providers/lxc/engine-client.ts';
import { fromEngine, isAlreadyThere, isNotFound } from '../providers/lxc/engine-failure.ts';
import { rangeKey } from '../providers/lxc/engine-project.ts';
import { bad, good, type SetupStep } from './setup-step.ts';

const gibibyte = 1024 ** 3;
const leastPoolBytes = 5 * gibibyte;
const largestPoolBytes = 500 * gibibyte;

/**
 * Size of a new pool: what is asked for, else the free disk less a headroom of 15 % or 10 GiB. A full disk under
 * a pool's file damages every workspace in it.
 * @throws disk_full when there is no room for the least sensible pool
 */
export function poolSize({ freeBytes, askedBytes }: { freeBytes: number; askedBytes?: number | undefined }): number {
  const headroom = Math.max(freeBytes * 0.15, 10 * gibibyte);
  const size = askedBytes ?? Math.min(freeBytes - headroom, largestPoolBytes);
  if (size < leastPoolBytes || size > freeBytes)
    throw new NexusError('disk_full', { where: "the engine's disk", free_bytes: freeBytes });
  return Math.floor(size / gibibyte) * gibibyte;
}

export function storageStep(
  engine: EngineClient,
  { pool, poolSizeBytes }: { pool: string; poolSizeBytes?: number | undefined },
): SetupStep {
  const id = 'storage';
  return {
    id,
    title: 'Storage pool',
    async check() {
      const found = await engine
        .get(`/1.0/storage-pools/${pool}`, z.object({ driver: z.string(), status: z.string() }))
        .catch(absent);
      if (!found) return bad(id, `there is no pool ${pool}`);
      if (found.status !== 'Created') return bad(id, `pool ${pool} is ${found.status}`);
      return good(id, `${pool} (${found.driver})`);
    },
    async apply() {
      const { bavail, bsize } = await statfs(dirname(engine.socketPath));
      const sizeBytes = poolSize({ freeBytes: bavail * bsize, askedBytes: poolSizeBytes });
      const config = { size: `${sizeBytes}B`, 'btrfs.mount_options': 'user_subvol_rm_allowed,noatime' };
      await engine
        .change('POST', '/1.0/storage-pools', { name: pool, driver: 'btrfs', config }, { timeoutMs: 120_000 })
        .catch(unlessThere);
    },
  };
}

export function projectStep(engine: EngineClient, { range }: { range: string }): SetupStep {
  const id = 'project';
  const path = `/1.0/projects/${engine.project}`;
  return {
    id,
    title: 'Project',
    async check() {
      const found = await engine.get(path, z.object({ config: z.record(z.string(), z.string()) })).catch(absent);
      if (!found) return bad(id, `there is no project ${engine.project}`);
      return found.config[rangeKey] === range
        ? good(id, engine.project)
        : bad(id, `the range is ${found.config[rangeKey] ?? 'unknown'}, not ${range}`);
    },
    async apply() {
      const config = {
        'features.images': 'true',
        'features.profiles': 'true',
        'features.storage.volumes': 'true',
        [rangeKey]: range,
      };
      const description = 'Development workspaces (nexus)';
      await engine.change('POST', '/1.0/projects', { name: engine.project, description, config }).catch(unlessThere);
      await engine.change('PATCH', path, { config: { [rangeKey]: range } });
    },
  };
}

function absent(thrown: unknown): null {
  if (isNotFound(thrown)) return null;
  throw fromEngine(thrown, 'the pool', unavailable);
}

function unlessThere(thrown: unknown): void {
  if (isAlreadyThere(thrown)) return;
  throw fromEngine(thrown, "the engine's disk", unavailable);
}

function unavailable(reason: string): NexusError {
  return new NexusError('provider_unavailable', { provider: 'lxc', reason });
}
