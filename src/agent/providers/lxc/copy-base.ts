import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { withHostLock } from '../../../lib/host-lock.ts';
import type { EngineClient } from './engine-client.ts';
import { isNotFound } from './engine-failure.ts';

const copyTimeoutMs = 120_000;
const lookEveryMs = 10;

/**
 * Makes an instance, and waits until it is made. The next is begun when this one has its ids: LXD takes those of one
 * that has none yet for 0, and gives the next one ids that the host does not allow, with which it never starts.
 */
export async function copyBase(engine: EngineClient, name: string, body: unknown): Promise<void> {
  const made = await withHostLock('instance-ids', async () => {
    const { id } = await engine.begin('POST', '/1.0/instances', body);
    const ended = new AbortController();
    const making = engine.waitFor(id, { timeoutMs: copyTimeoutMs }).finally(() => ended.abort());
    making.catch(() => undefined);
    while (!ended.signal.aborted && !(await hasIds(engine, name)))
      await sleep(lookEveryMs, undefined, { signal: ended.signal }).catch(() => undefined);
    return { making };
  });
  await made.making;
}

const withIds = z.object({ config: z.object({ 'volatile.idmap.next': z.string() }) });

async function hasIds(engine: EngineClient, name: string): Promise<boolean> {
  try {
    return withIds.safeParse(await engine.get(`/1.0/instances/${name}`, z.unknown())).success;
  } catch (thrown) {
    if (isNotFound(thrown)) return false;
    throw thrown;
  }
}
