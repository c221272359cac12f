/** Keeps every workspace what it should be: its loops, the gateway's routes, and what peers tell of both. */
import type { Reconciler } from '../collaborators.ts';
import type { Hub } from '../control/hub.ts';
import type { Metrics } from '../metrics.ts';
import type { WorkspaceRow } from '../store/schema.ts';
import { workspacesOf } from '../store/workspaces.ts';
import type { StreamKeys } from '../stream-keys.ts';
import { candidates } from './fleet.ts';
import { hearPeers } from './hear-peers.ts';
import type { LoopDeps } from './loop-deps.ts';
import { createOccupiedPorts } from './occupied-ports.ts';
import { startPruning } from './prune.ts';
import { createRoutesPublisher } from './routing-table.ts';
import { takeApplied } from './take-applied.ts';
import { createWorkspaceLoops, type WorkspaceLoops } from './workspace-loops.ts';

export type ReconcilerOptions = Omit<LoopDeps, 'hub' | 'metrics' | 'fleet' | 'occupiedPorts' | 'routesChanged'> & {
  readonly hub: Pick<Hub, 'run' | 'forget' | 'isReachable' | 'events' | 'sendRoutes'>;
  readonly metrics: Pick<Metrics, 'workspaceCreated' | 'serviceStarted' | 'sshConnected'>;
  readonly streamKeys: StreamKeys;
};

export type RunningReconciler = Reconciler &
  AsyncDisposable & {
    /** Looks at every workspace. */
    start(): Promise<void>;
  };

/** How soon running workspaces take a new key (api.md: 5 s). */
const keysWithinMs = 5_000;
/** A gateway of the same machine answers in milliseconds; one that is away would not be worth a longer wait. */
const routesWithinMs = 2_000;

export function createReconciler(options: ReconcilerOptions): RunningReconciler {
  const { store, hub, config, log, now } = options;
  const ended = new AbortController();
  const occupied = createOccupiedPorts();
  const routes = createRoutesPublisher({
    store,
    streamKeys: options.streamKeys,
    send: (table) => hub.sendRoutes(table),
    onError: (error) => log.error({ err: error }, 'the routing table could not be made'),
  });
  const routesChanged = (): void => routes.publish();
  const loops = createWorkspaceLoops({
    ...options,
    fleet: () => candidates(store.db, hub),
    occupiedPorts: () => occupied.current(),
    routesChanged,
  });
  const wake = (id: string): void => loops.of(id).wake();
  const stopListening = hearPeers(hub.events, {
    ...options,
    loops,
    routesChanged,
    onApplied: (event) => takeApplied(event, { store, ports: config.ports, occupied, routes, wake }),
    onError(error) {
      if (!ended.signal.aborted) log.error({ err: error }, 'what a peer said could not be dealt with');
    },
  });
  let pruning: Disposable | undefined;

  return {
    async start() {
      await loops.wakeAll();
      routes.publish();
      pruning = startPruning(store, { now, log });
    },
    nudge: wake,
    settled: async (id, how) => loops.of(id).settled(how),
    async routesApplied() {
      routes.publish();
      await routes.applied(AbortSignal.any([ended.signal, AbortSignal.timeout(routesWithinMs)]));
      return new Set(occupied.current().keys());
    },
    async keysChanged(userId) {
      await sendKeys(await workspacesOf(store.db, userId), loops);
    },
    serviceCommand: async (id, service, action) => loops.of(id).serviceCommand(service, action),
    queueLength: () => loops.busy(),
    async [Symbol.asyncDispose]() {
      ended.abort();
      stopListening();
      pruning?.[Symbol.dispose]();
      loops.end();
      await routes.idle();
    },
  };
}

/** Who is away, or fails, gets the key as soon as it is back: there is nothing that the caller could do. */
async function sendKeys(rows: readonly WorkspaceRow[], loops: Pick<WorkspaceLoops, 'of'>): Promise<void> {
  const { waited = [], woken = [] } = Object.groupBy(
    rows.filter((row) => row.want === 'running'),
    ({ status }) => (status === 'running' ? 'waited' : 'woken'),
  );
  for (const { id } of woken) loops.of(id).wake();
  await Promise.allSettled(waited.map(({ id }) => loops.of(id).settled({ timeoutMs: keysWithinMs })));
}
