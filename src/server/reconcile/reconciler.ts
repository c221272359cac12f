/** Keeps a loop for every workspace, and tells each when something changed that concerns it. */
import { NexusError } from '../../contract/errors.ts';
import type { PeerEvent } from '../control/peer-events.ts';
import type { Reconciler } from '../collaborators.ts';
import type { Hub } from '../control/hub.ts';
import { candidates } from './fleet.ts';
import { createEngineReturns } from './engine-returns.ts';
import type { LoopDeps } from './loop-deps.ts';
import { createNewest } from './newest.ts';
import { createOccupiedPorts, movePort } from './occupied-ports.ts';
import { pruneHistory } from './prune.ts';
import { createRoutesPublisher } from './routing-table.ts';
import { allWorkspaces, findWorkspace, workspacesOf, workspacesOnNode } from '../store/workspaces.ts';
import { listPorts } from '../store/ports.ts';
import { createWorkspaceLoop, type WorkspaceLoop } from './workspace-loop.ts';
import type { Metrics } from '../metrics.ts';

export type ReconcilerOptions = Omit<LoopDeps, 'hub' | 'metrics' | 'fleet' | 'occupiedPorts' | 'routesChanged'> & {
  readonly hub: Pick<Hub, 'run' | 'forget' | 'isReachable' | 'events' | 'sendRoutes'>;
  readonly metrics: Pick<Metrics, 'workspaceCreated' | 'serviceStarted' | 'sshConnected'>;
  /** By which the gateway knows the server as an opener of streams. */
  readonly serverStreamKey: string;
};

export type RunningReconciler = Reconciler &
  AsyncDisposable & {
    /** Looks at every workspace. */
    start(): Promise<void>;
  };

const pruneEveryMs = 5 * 60_000;
/** How soon running workspaces take a new key (api.md: 5 s). */
const keysWithinMs = 5_000;
/** A gateway of the same machine answers in milliseconds; one that is away would not be worth a longer wait. */
const routesWithinMs = 2_000;

export function createReconciler(options: ReconcilerOptions): RunningReconciler {
  const { store, hub, config, log, now, metrics } = options;
  const loops = new Map<string, WorkspaceLoop>();
  const occupied = createOccupiedPorts();
  const engineReturns = createEngineReturns(store);
  const routes = createRoutesPublisher({
    store,
    serverStreamKey: options.serverStreamKey,
    send: (table) => hub.sendRoutes(table),
    onError: (error) => log.error({ err: error }, 'the routing table could not be made'),
  });
  const deps: LoopDeps = {
    ...options,
    fleet: () => candidates(store.db, hub),
    occupiedPorts: () => occupied.current(),
    routesChanged: () => routes.publish(),
  };
  let pruning: NodeJS.Timeout | undefined;
  const ended = new AbortController();
  const stopListening = hub.events.listen((event) => {
    if (event.type === 'instances') return takeReport(event.node, event);
    if (event.type === 'services') return takeReport(`${event.node} ${event.workspaceId}`, event);
    hear(event).catch(onUnheard);
  });
  const takeReport = createNewest(hear, { onError: onUnheard });

  function onUnheard(error: unknown): void {
    if (!ended.signal.aborted) log.error({ err: error }, 'what a peer said could not be dealt with');
  }

  /** @throws shutting_down */
  function loopOf(id: string): WorkspaceLoop {
    if (ended.signal.aborted) throw new NexusError('shutting_down', {});
    const known = loops.get(id);
    if (known) return known;
    const loop = createWorkspaceLoop(id, deps, { onGone: () => void (loops.get(id) === loop && loops.delete(id)) });
    loops.set(id, loop);
    return loop;
  }

  async function hear(event: PeerEvent): Promise<void> {
    switch (event.type) {
      case 'connected':
        // A new node has a stream key of its own.
        routes.publish();
        return event.role === 'agent' ? onNode(event.name, (loop) => loop.invalidate()) : undefined;
      case 'reachability':
        return onNode(event.node, (loop) => loop.wake());
      case 'heartbeat':
        for (const id of await engineReturns.heard(event.node, event.providers ?? [])) loopOf(id).wake();
        return wakeUnplaced();
      case 'instances': {
        const states = new Map(event.instances.map(({ workspace_id, state }) => [workspace_id, state]));
        return onNode(event.node, (loop, id) => loop.reported(states.get(id) ?? null));
      }
      case 'services': {
        const row = await findWorkspace(store.db, event.workspaceId);
        if (row?.node === event.node) loopOf(row.id).servicesReported(event.services);
        return;
      }
      case 'routes_applied':
        return takeApplied(event);
      case 'ssh_connected':
        return metrics.sshConnected(event.seconds);
      case 'git_rejected':
      case 'disconnected':
    }
  }

  async function onNode(node: string, tell: (loop: WorkspaceLoop, id: string) => void): Promise<void> {
    for (const { id } of await workspacesOnNode(store.db, node)) tell(loopOf(id), id);
  }

  /** The room that a node reports may be what a workspace waits for. */
  async function wakeUnplaced(): Promise<void> {
    const unplaced = await store.db.selectFrom('workspaces').select('id').where('node', 'is', null).execute();
    for (const { id } of unplaced) loopOf(id).wake();
  }

  async function takeApplied({ version, failed }: Extract<PeerEvent, { type: 'routes_applied' }>): Promise<void> {
    if (version !== routes.version) return;
    const listened = await listPorts(store.db);
    const before = [...occupied.current().keys()];
    occupied.applied(
      listened.map(({ port }) => port),
      failed,
    );
    const settings = { ports: config.ports, occupied: new Set(occupied.current().keys()) };
    for (const { listen } of failed) {
      const outcome = await store.transaction((tx) => movePort(tx, listen, settings));
      if (outcome?.moved) routes.publish();
    }
    const changed = new Set([...before, ...settings.occupied]);
    for (const { port, workspace_id } of listened) if (changed.has(port)) loopOf(workspace_id).wake();
    routes.taken(version);
  }

  return {
    async start() {
      for (const { id } of await allWorkspaces(store.db)) loopOf(id).wake();
      routes.publish();
      const prune = (): void => {
        store
          .transaction((tx) => pruneHistory(tx, now()))
          .catch((error: unknown) => log.error({ err: error }, 'old events could not be pruned'));
      };
      prune();
      pruning = setInterval(prune, pruneEveryMs);
    },
    nudge: (id) => loopOf(id).wake(),
    settled: async (id, how) => loopOf(id).settled(how),
    async routesApplied() {
      routes.publish();
      await routes.applied(AbortSignal.any([ended.signal, AbortSignal.timeout(routesWithinMs)]));
      return new Set(occupied.current().keys());
    },
    async keysChanged(userId) {
      const running = (await workspacesOf(store.db, userId)).filter((row) => row.want === 'running');
      const [waited, woken] = [
        running.filter((row) => row.status === 'running'),
        running.filter((row) => row.status !== 'running'),
      ];
      for (const { id } of woken) loopOf(id).wake();
      // Who is away, or fails, gets the key as soon as it is back: there is nothing that the caller could do.
      await Promise.allSettled(waited.map(({ id }) => loopOf(id).settled({ timeoutMs: keysWithinMs })));
    },
    serviceCommand: async (id, service, action) => loopOf(id).serviceCommand(service, action),
    queueLength: () => [...loops.values()].filter((loop) => !loop.isAtRest).length,
    async [Symbol.asyncDispose]() {
      ended.abort();
      stopListening();
      clearInterval(pruning);
      for (const loop of loops.values()) loop.end();
      await routes.idle();
    },
  };
}
