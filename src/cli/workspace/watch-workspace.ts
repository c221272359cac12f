/**
 * Watches a workspace until it is as wished. The view that the server gives decides; events only tell when to look
 * again and fill in the steps between two looks, so that a lost event delays by one poll and never deceives.
 */
import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceEvent, WorkspaceView } from '../../contract/workspace.ts';
import { answeredSoon, followEvents, persist } from './follow-events.ts';
import type { Patience } from './follow-events.ts';

export type WatchOptions = {
  /** Told every event and every look, in order. */
  readonly onEvent?: (event: WorkspaceEvent) => void;
  readonly onView?: (view: WorkspaceView) => void;
  readonly isDone: (view: WorkspaceView) => boolean;
  /** Events after this one; absent: from now on. */
  readonly lastEventId?: number;
  /** A look failed, and is tried again: told each time. */
  readonly onAway?: (error: unknown) => void;
  readonly signal: AbortSignal;
  readonly pollMs?: number;
  readonly patience?: Patience;
};

/**
 * @throws NexusError not_found when the workspace is deleted meanwhile, ServerUnreachable when the server stays away,
 *   the reason of `signal`
 */
export async function watchWorkspace(
  client: Client,
  workspaceId: string,
  options: WatchOptions,
): Promise<WorkspaceView> {
  const { pollMs = 2000, patience } = options;
  const stop = new AbortController();
  const signal = AbortSignal.any([options.signal, stop.signal]);
  const bell = createBell();
  const onAway = options.onAway === undefined ? {} : { onAway: options.onAway };
  const retry = { signal, ...(patience === undefined ? {} : { patience }) };
  const listening = listen();
  try {
    for (;;) {
      const view = await persist(() => look(), { ...retry, ...onAway });
      options.onView?.(view);
      if (options.isDone(view)) return view;
      await bell.wait(pollMs, signal);
    }
  } catch (error) {
    options.signal.throwIfAborted();
    throw error;
  } finally {
    stop.abort();
    await listening;
  }

  function look(): Promise<WorkspaceView> {
    return answeredSoon(client, signal, (limited) =>
      client.call('getWorkspace', { params: { id: workspaceId }, signal: limited }),
    );
  }

  async function listen(): Promise<void> {
    const { lastEventId } = options;
    try {
      for await (const event of followEvents(client, workspaceId, {
        ...retry,
        ...(lastEventId === undefined ? {} : { lastEventId }),
      })) {
        options.onEvent?.(event);
        bell.ring();
      }
    } catch {
      // The looks go on without events, and name what is wrong.
    }
    bell.ring();
  }
}

type Bell = { ring(): void; wait(timeoutMs: number, signal: AbortSignal): Promise<void> };

/** A ring that nobody waits for is kept for the next who does. */
function createBell(): Bell {
  let rung = Promise.withResolvers<void>();
  return {
    ring: () => rung.resolve(),
    async wait(timeoutMs, signal) {
      const timeout = AbortSignal.timeout(timeoutMs);
      const ended = Promise.withResolvers<void>();
      const end = (): void => ended.resolve();
      timeout.addEventListener('abort', end, { once: true });
      signal.addEventListener('abort', end, { once: true });
      await Promise.race([rung.promise, ended.promise]);
      signal.removeEventListener('abort', end);
      rung = Promise.withResolvers<void>();
      signal.throwIfAborted();
    },
  };
}

/** Nothing is under way any more: it runs (with every service started or given up), is stopped, or failed. */
export function isSettled(view: WorkspaceView): boolean {
  if (view.status === 'error' || view.status === 'stopped') return true;
  if (view.status !== 'running' || view.step !== null) return false;
  return Object.values(view.services).every((service) => service.status !== 'pending' && service.status !== 'starting');
}
