import { setTimeout as delay } from 'node:timers/promises';
import { ServerUnreachable } from '../../contract/api-client.ts';
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { ErrorCode } from '../../contract/errors.ts';
import type { WorkspaceEvent } from '../../contract/workspace.ts';
import { createBackoff } from '../../lib/backoff.ts';

export type Patience = {
  /** How long a server may be away before it is given up. */
  readonly awayMs: number;
  readonly backoff: { readonly firstMs: number; readonly maxMs: number };
};

/** Long enough for a server's upgrade. */
const defaultPatience: Patience = { awayMs: 5 * 60_000, backoff: { firstMs: 200, maxMs: 2000 } };

/** For what goes on until Ctrl-C. */
export const endlessPatience: Patience = { awayMs: Infinity, backoff: { firstMs: 200, maxMs: 5000 } };

const passingErrors: readonly ErrorCode[] = ['shutting_down', 'rate_limited'];

/** Whether a call may work when it is made again a little later. */
export function isPassing(error: unknown): boolean {
  return error instanceof ServerUnreachable || (error instanceof NexusError && passingErrors.includes(error.code));
}

/**
 * Does `attempt` again until it works, over restarts of the server. One that takes long says by `works` that it is
 * well: whoever it fails later is away only from then on.
 * @throws what `attempt` throws when that will not pass, or the last failure after `awayMs`
 */
export async function persist<T>(
  attempt: (works: () => void) => Promise<T>,
  options: {
    signal: AbortSignal;
    patience?: Patience;
    onAway?: (error: unknown) => void;
    /** Further failures that may pass. */
    mayPass?: (error: unknown) => boolean;
  },
): Promise<T> {
  const { signal, patience = defaultPatience, mayPass = () => false } = options;
  const backoff = createBackoff(patience.backoff);
  let deadlineMs = performance.now() + patience.awayMs;
  const works = (): void => {
    deadlineMs = Infinity;
    backoff.reset();
  };
  for (;;) {
    try {
      return await attempt(works);
    } catch (error) {
      if (deadlineMs === Infinity) deadlineMs = performance.now() + patience.awayMs;
      if (!(isPassing(error) || mayPass(error)) || performance.now() > deadlineMs) throw error;
      options.onAway?.(error);
      await delay(backoff.next(), undefined, { signal });
    }
  }
}

const answerWithinMs = 15_000;

/**
 * A call that asks for what is there already. Over a connection that is dead, as after a laptop's sleep, it would say
 * nothing for minutes. @throws ServerUnreachable also when there is no answer in time
 */
export async function answeredSoon<T>(
  client: Pick<Client, 'baseUrl'>,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const timeout = AbortSignal.timeout(answerWithinMs);
  try {
    return await ask(AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (signal.aborted || !timeout.aborted) throw error;
    const reason = `it did not answer within ${answerWithinMs / 1000} s`;
    throw new ServerUnreachable(client.baseUrl, reason, { cause: error });
  }
}

/**
 * The events of a workspace after `lastEventId` (absent: from now on), gone on with where they broke off when the
 * server was away. Ends when the workspace is deleted.
 */
export async function* followEvents(
  client: Client,
  workspaceId: string,
  options: { lastEventId?: number; signal: AbortSignal; patience?: Patience },
): AsyncGenerator<WorkspaceEvent, void, undefined> {
  const { signal, patience = defaultPatience } = options;
  const backoff = createBackoff(patience.backoff);
  let { lastEventId } = options;
  let deadlineMs = performance.now() + patience.awayMs;
  while (!signal.aborted) {
    try {
      for await (const event of client.events(workspaceId, {
        signal,
        ...(lastEventId === undefined ? {} : { lastEventId }),
      })) {
        lastEventId = event.id;
        deadlineMs = performance.now() + patience.awayMs;
        backoff.reset();
        yield event;
        if (event.type === 'deleted') return;
      }
    } catch (error) {
      if (!isPassing(error) || performance.now() > deadlineMs) throw error;
    }
    await delay(backoff.next(), undefined, { signal });
  }
}
