/** Watches the engines of a node and their instances, and tells the server of what changes. */
import type { PeerToServer } from '../contract/control-protocol.ts';
import type { ProviderHealth } from '../contract/node.ts';
import type { Logger } from '../lib/log.ts';
import { watchInstances, type SeenInstance } from './instance-watch.ts';
import { probeProviders } from './provider-health.ts';
import type { Provider } from './providers/provider.ts';

export type NodeWatch = AsyncDisposable & {
  /** As it was found last; undefined before the first time. */
  readonly health: ProviderHealth[] | undefined;
  /** Tells all that is known, anew. */
  announce(): void;
};

const probeEveryMs = 15_000;
const listEveryMs = 3_000;

export function watchNode(
  providers: readonly Provider[],
  options: {
    readonly send: (message: PeerToServer) => boolean;
    readonly onInstances: (seen: readonly SeenInstance[]) => void;
    readonly log: Logger;
  },
): NodeWatch {
  const { send, onInstances, log } = options;
  const health = probeProviders(providers, { everyMs: probeEveryMs });
  const instances = watchInstances(providers, {
    everyMs: listEveryMs,
    onChange(seen) {
      tellInstances(seen);
      onInstances(seen);
    },
    /** An engine that went away or came back is told of at once. */
    onLook(answered) {
      const wasWell = health.last?.every(({ ok }) => ok);
      if (wasWell !== undefined && wasWell !== answered) void health.refresh().then(tellHealth);
    },
    log,
  });

  function tellInstances(seen: readonly SeenInstance[]): void {
    send({
      type: 'instances',
      instances: seen.map(({ instance: { id, state } }) => ({
        workspace_id: id,
        state: state === 'running' ? 'running' : 'stopped',
      })),
    });
  }

  function tellHealth(found: ProviderHealth[]): void {
    send({ type: 'heartbeat', providers: found });
  }

  return {
    get health() {
      return health.last;
    },
    announce() {
      if (health.last) tellHealth(health.last);
      else void health.refresh().then(tellHealth);
      if (instances.last) tellInstances(instances.last);
    },
    async [Symbol.asyncDispose]() {
      health[Symbol.dispose]();
      await instances[Symbol.asyncDispose]();
    },
  };
}
