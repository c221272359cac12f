/** Notices instances that come, go, start or stop, whoever caused it: one cheap question to each engine every few seconds. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from '../lib/log.ts';
import type { Instance, Provider } from './providers/provider.ts';

export type SeenInstance = { readonly provider: Provider; readonly instance: Instance };

export type InstanceWatch = {
  /** As they were seen last; null before the first time. */
  readonly last: readonly SeenInstance[] | null;
  [Symbol.asyncDispose](): Promise<void>;
};

export function watchInstances(
  providers: readonly Provider[],
  options: {
    everyMs: number;
    onChange(seen: readonly SeenInstance[]): void;
    /** Told after each look whether the engines answered. */
    onLook(answered: boolean): void;
    readonly log: Logger;
  },
): InstanceWatch {
  const stop = new AbortController();
  let last: readonly SeenInstance[] | null = null;

  async function look(): Promise<void> {
    try {
      const seen = (await Promise.all(providers.map(instancesOf))).flat();
      options.onLook(true);
      if (stop.signal.aborted || (last && essence(seen) === essence(last))) return;
      last = seen;
      options.onChange(seen);
    } catch (error) {
      options.log.debug({ err: error }, 'the instances could not be listed');
      options.onLook(false);
    }
  }

  async function keepLooking(): Promise<void> {
    while (!stop.signal.aborted) {
      await look();
      await sleep(options.everyMs, undefined, { signal: stop.signal }).catch(() => undefined);
    }
  }
  const ended = keepLooking();

  return {
    get last() {
      return last;
    },
    async [Symbol.asyncDispose]() {
      stop.abort();
      await ended;
    },
  };
}

async function instancesOf(provider: Provider): Promise<SeenInstance[]> {
  return (await provider.list()).map((instance) => ({ provider, instance }));
}

function essence(seen: readonly SeenInstance[]): string {
  return seen
    .map(({ instance }) => `${instance.id} ${instance.state}`)
    .toSorted()
    .join('\n');
}
