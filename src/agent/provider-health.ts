import { toNexusError, type NexusError } from '../contract/errors.ts';
import type { ProviderHealth } from '../contract/node.ts';
import type { Provider } from './providers/provider.ts';

export type HealthProbe = {
  /** As it was found last; undefined before the first time. */
  readonly last: ProviderHealth[] | undefined;
  /** Resolves when all engines were asked (they are asked every `everyMs` anyway). */
  refresh(): Promise<ProviderHealth[]>;
  [Symbol.dispose](): void;
};

/** Asks the engines now and then, so that a heartbeat never waits for one that hangs. */
export function probeProviders(providers: readonly Provider[], { everyMs }: { everyMs: number }): HealthProbe {
  let last: ProviderHealth[] | undefined;
  let running: Promise<ProviderHealth[]> | null = null;

  function refresh(): Promise<ProviderHealth[]> {
    running ??= Promise.all(providers.map(healthOf))
      .then((found) => (last = found))
      .finally(() => {
        running = null;
      });
    return running;
  }
  const timer = setInterval(() => void refresh(), everyMs);

  return {
    get last() {
      return last;
    },
    refresh,
    [Symbol.dispose]() {
      clearInterval(timer);
    },
  };
}

/** What says it together with the engine's name. */
function reasonOf(error: NexusError): string {
  return error.code === 'provider_unavailable'
    ? (error as NexusError<'provider_unavailable'>).details.reason
    : error.message;
}

async function healthOf(provider: Provider): Promise<ProviderHealth> {
  try {
    const { engine, version, diskTotalBytes, diskFreeBytes } = await provider.probe();
    return {
      name: provider.name,
      ok: true,
      engine,
      version,
      disk_total_bytes: diskTotalBytes,
      disk_free_bytes: diskFreeBytes,
      reason: null,
    };
  } catch (thrown) {
    return {
      name: provider.name,
      ok: false,
      engine: null,
      version: null,
      disk_total_bytes: null,
      disk_free_bytes: null,
      reason: reasonOf(toNexusError(thrown)),
    };
  }
}
