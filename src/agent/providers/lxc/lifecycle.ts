import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { NexusError } from '../../../contract/errors.ts';
import type { EngineClient } from './engine-client.ts';
import { EngineFailure, fromEngine, isBusy, isNotFound } from './engine-failure.ts';
import { removeLinkOfGone, removeStaleLink } from './stale-link.ts';

/** Starting, stopping and removing any instance by its engine's name. All of them are done when repeated. */

const startTimeoutMs = 60_000;
const removeTimeoutMs = 120_000;
const busyRetryMs = 200;
const busyTimeoutMs = 60_000;

const runState = z.object({ status: z.string(), pid: z.number() });

/** Status in the engine's words, and the host's id of the init process (0: it does not run); null: no such instance. */
export async function stateOf(engine: EngineClient, name: string): Promise<z.infer<typeof runState> | null> {
  try {
    return await engine.get(`/1.0/instances/${name}/state`, runState);
  } catch (thrown) {
    if (isNotFound(thrown)) return null;
    throw thrown;
  }
}

/** Returns when the init process runs. @throws container_start_failed, disk_full */
export async function startInstance(engine: EngineClient, name: string): Promise<void> {
  try {
    await changeState(engine, name, { action: 'start', timeout: -1 }, startTimeoutMs);
  } catch (thrown) {
    if (thrown instanceof EngineFailure && /already running/i.test(thrown.message)) return;
    if (thrown instanceof EngineFailure && (await removeStaleLink(name, thrown.message)))
      return startInstance(engine, name);
    const log = thrown instanceof EngineFailure ? await lastErrors(engine, name) : [];
    throw fromEngine(thrown, name, (reason) => startFailed(name, [reason, ...log].join('; ')));
  }
}

/** Clean, and killed when that takes longer than `timeoutMs`; `force`: killed at once. An absent one is stopped. */
export async function stopInstance(
  engine: EngineClient,
  name: string,
  { timeoutMs, force }: { timeoutMs: number; force: boolean },
): Promise<void> {
  const state = await stateOf(engine, name);
  if (!state || state.status === 'Stopped') return;
  // A frozen init process cannot shut down.
  if (!force && state.status === 'Running') {
    const seconds = Math.max(1, Math.round(timeoutMs / 1000));
    const clean = changeState(engine, name, { action: 'stop', timeout: seconds }, timeoutMs + 10_000);
    if (await clean.then(() => true, refused)) return;
  }
  try {
    await changeState(engine, name, { action: 'stop', force: true, timeout: -1 }, startTimeoutMs);
  } catch (thrown) {
    if (isNotFound(thrown) || isAlreadyStopped(thrown)) return;
    throw fromEngine(thrown, name, (reason) => startFailed(name, `it does not stop: ${reason}`));
  }
}

/** Stops and removes; an absent one is success. */
export async function removeInstance(engine: EngineClient, name: string): Promise<void> {
  try {
    await stopInstance(engine, name, { timeoutMs: 0, force: true });
    await whenNotBusy(() =>
      engine.operate('DELETE', `/1.0/instances/${name}`, undefined, { timeoutMs: removeTimeoutMs }),
    );
  } catch (thrown) {
    if (!isNotFound(thrown))
      throw fromEngine(thrown, name, (reason) => startFailed(name, `it cannot be removed: ${reason}`));
  }
  await removeLinkOfGone(name);
}

/** Waits for what the engine still does with an instance, for an agent that died in the middle say. */
export async function whenIdle(engine: EngineClient, name: string): Promise<void> {
  const running = z.array(
    z.object({ id: z.string(), class: z.string(), resources: z.record(z.string(), z.array(z.string())).nullable() }),
  );
  const all = await engine.get('/1.0/operations', z.object({ running: running.optional() }), {
    query: { recursion: '1' },
  });
  const own = (all.running ?? []).filter(
    (operation) =>
      operation.class === 'task' &&
      Object.values(operation.resources ?? {}).some((paths) => paths.some((path) => path.split('/').includes(name))),
  );
  for (const { id } of own) await engine.waitFor(id, { timeoutMs: busyTimeoutMs }).catch(refused);
}

/** Tries again while another operation, one of an agent that died say, has the instance. */
export async function whenNotBusy<T>(task: () => Promise<T>): Promise<T> {
  const deadline = performance.now() + busyTimeoutMs;
  for (;;) {
    try {
      return await task();
    } catch (thrown) {
      if (!isBusy(thrown) || performance.now() > deadline) throw thrown;
      await sleep(busyRetryMs);
    }
  }
}

function changeState(engine: EngineClient, name: string, body: unknown, timeoutMs: number): Promise<unknown> {
  return whenNotBusy(() => engine.operate('PUT', `/1.0/instances/${name}/state`, body, { timeoutMs }));
}

function refused(thrown: unknown): false {
  if (thrown instanceof EngineFailure) return false;
  throw thrown;
}

function isAlreadyStopped(thrown: unknown): boolean {
  return thrown instanceof EngineFailure && /(?:already|is) (?:stopped|not running)/i.test(thrown.message);
}

function startFailed(name: string, reason: string): NexusError {
  return new NexusError('container_start_failed', { instance: name, reason });
}

/** The engine's own message of a failed start only names a log. */
async function lastErrors(engine: EngineClient, name: string): Promise<string[]> {
  try {
    const log = await engine.download(`/1.0/instances/${name}/logs/lxc.log`, { timeoutMs: 5000 });
    const text = (await log.toArray()).join('');
    return text
      .split('\n')
      .filter((line) => / (?:ERROR|WARN) /.test(line))
      .slice(-3)
      .map((line) => line.replace(/^lxc \S+ \S+ /, '').replace(/ - \S+:\d+ - /, ' '));
  } catch {
    return [];
  }
}
