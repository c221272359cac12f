import { statfs } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { NexusError } from '../../contract/errors.ts';
import type { EngineClient } from '../providers/lxc/engine-client.ts';
import { isAlreadyThere, isNotFound, unavailable } from '../providers/lxc/engine-failure.ts';
import { configuredNetwork, rangeKey, reachKey, type ProjectNetwork } from '../providers/lxc/engine-project.ts';
import type { SetupStep } from './setup-step.ts';

const gibibyte = 1024 ** 3;
const leastPoolBytes = 5 * gibibyte;
const largestPoolBytes = 500 * gibibyte;
const createTimeoutMs = 120_000;

/**
 * Size of a new pool: what is asked for, else the free disk less a headroom of 15 % or 10 GiB. A full disk under
 * a pool's file damages every workspace in it.
 * @throws disk_full when there is no room for it, or for the least sensible pool
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
  { pool, poolBytes }: { pool: string; poolBytes?: number | undefined },
): SetupStep {
  let driver = '';
  return {
    name: 'storage',
    describe: () => `pool ${pool} (${driver})`,
    async check() {
      const schema = z.object({ driver: z.string(), status: z.string() });
      const found = await engine.get(`/1.0/storage-pools/${pool}`, schema).catch(absent);
      driver = found?.driver ?? '';
      if (!found) return { detail: `there is no storage pool ${pool}` };
      return found.status === 'Created' ? null : { detail: `the storage pool ${pool} is ${found.status}` };
    },
    async apply() {
      const { bavail, bsize } = await statfs(dirname(engine.socketPath));
      const size = poolSize({ freeBytes: bavail * bsize, askedBytes: poolBytes });
      const config = { size: `${size}B`, 'btrfs.mount_options': 'user_subvol_rm_allowed,noatime' };
      const body = { name: pool, driver: 'btrfs', config };
      await engine.change('POST', '/1.0/storage-pools', body, { timeoutMs: createTimeoutMs }).catch(unlessThere);
    },
  };
}

export function projectStep(engine: EngineClient, { range, reach }: ProjectNetwork): SetupStep {
  return {
    name: 'project',
    describe: () => `project ${engine.project} of the engine`,
    async check() {
      const configured = await configuredNetwork(engine).catch(absent);
      if (configured === null) return { detail: `there is no project ${engine.project}` };
      if (configured.range !== range) return { detail: `workspaces have the range ${configured.range}, not ${range}` };
      const before = configured.reach.join(',');
      return before === reach.join(',')
        ? null
        : { detail: `workspaces may reach ${before || 'nothing'} beside the host` };
    },
    async apply() {
      const network = { [rangeKey]: range, [reachKey]: reach.join(',') };
      const config = {
        'features.images': 'true',
        'features.profiles': 'true',
        'features.storage.volumes': 'true',
        ...network,
      };
      const body = { name: engine.project, description: 'Development workspaces of nexus', config };
      await engine.change('POST', '/1.0/projects', body).catch(unlessThere);
      await engine.change('PATCH', `/1.0/projects/${engine.project}`, { config: network });
    },
  };
}

function absent(thrown: unknown): null {
  if (isNotFound(thrown)) return null;
  throw unavailable(thrown);
}

function unlessThere(thrown: unknown): void {
  if (isAlreadyThere(thrown)) return;
  throw unavailable(thrown);
}
