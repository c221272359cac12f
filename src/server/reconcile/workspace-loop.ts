/**
 * Makes one workspace what it should be: looks, plans, does, one thing after the other, whenever something changed or
 * the plan said to look again. All that it must remember is in the database; what it holds here is what it has seen.
 */
import type { AgentCommand, Observation, ServiceReport } from '../../contract/control-protocol.ts';
import { fromBody, NexusError, toNexusError, type ErrorBody } from '../../contract/errors.ts';
import { newId } from '../../contract/ids.ts';
import { isExposed } from '../../core/service-env.ts';
import { startService, stopService } from '../../core/plan/commands.ts';
import { plan, unreachableWarning } from '../../core/plan/plan.ts';
import { serviceVerdicts } from '../../core/plan/services.ts';
import type { Plan, Seen, Step } from '../../core/plan/plan-types.ts';
import { createMutex } from '../../lib/mutex.ts';
import { appendEvent } from '../store/events.ts';
import { updateService } from '../store/services.ts';
import { deleteWorkspace, findWorkspace, updateWorkspace } from '../store/workspaces.ts';
import { commandTimeoutMs } from './command-timeouts.ts';
import type { LoopDeps } from './loop-deps.ts';
import { createOperationRunner, type Outcome } from './operation-runner.ts';
import { readWorkspace, type WorkspaceState } from './read-want.ts';
import { createServiceClock } from './service-clock.ts';
import { createSettleWaiters } from './settle-waiters.ts';
import { writeObservation } from './take-answer.ts';
import { writeConclusion } from './write-state.ts';

export type ServiceAction = 'start' | 'stop' | 'restart';

export type WorkspaceLoop = {
  /** Look at it soon. */
  wake(): void;
  /** What was seen may not be so any more: look at it anew. */
  invalidate(): void;
  /** Its node says in which state the instance is (null: there is none). */
  reported(state: 'stopped' | 'running' | null): void;
  servicesReported(services: readonly ServiceReport[]): void;
  settled(options: { timeoutMs: number; signal?: AbortSignal }): Promise<void>;
  serviceCommand(service: string, action: ServiceAction): Promise<void>;
  /** As far as is known: it is what it should be, or cannot become so. */
  readonly isAtRest: boolean;
  /** Ends the loop; what is under way at the node goes on there. */
  end(): void;
};

/** When to look again: at once, at a time (ms since the epoch), or when woken. */
type Next = 'now' | number | null;

const retryAfterFaultMs = 5_000;

export function createWorkspaceLoop(
  id: string,
  deps: LoopDeps,
  options: { readonly onGone: () => void },
): WorkspaceLoop {
  const { store, hub, log, now } = deps;
  const exclusive = createMutex();
  const waiters = createSettleWaiters(id);
  const clock = createServiceClock(deps.metrics);
  let name = id;
  let observation: Observation | null = null;
  let blind: Seen['blind'] = null;
  let observing = false;
  let isAtRest = false;
  let pass = 0;
  let isWanted = false;
  let isEnded = false;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;
  const runner = createOperationRunner(id, deps, { name: () => name, onOutcome: takeOutcome });

  function wake(): void {
    isWanted = true;
    clearTimeout(timer);
    if (!isEnded) running ??= drive();
  }

  async function drive(): Promise<void> {
    while (isWanted && !isEnded) {
      isWanted = false;
      const next = await exclusive(look).catch((error: unknown) => {
        log.error({ err: error, workspace: id }, 'a workspace could not be looked at');
        return now().getTime() + retryAfterFaultMs;
      });
      if (next === 'now') isWanted = true;
      else if (next !== null && !isWanted && !isEnded) timer = setTimeout(wake, Math.max(0, next - now().getTime()));
    }
    running = null;
  }

  async function look(): Promise<Next> {
    pass += 1;
    const number = pass;
    const state = await readWorkspace(store.db, id, deps.config);
    if (!state) return leave();
    name = state.row.name;
    for (const operation of state.open) void runner.run(operation);
    const { want } = state;
    // Stopping and deleting do not wait for what an older wish has under way: they make an end of it.
    const isBusy =
      state.open.some(({ generation }) => generation === state.row.generation) ||
      (want.state === 'running' && state.open.length > 0);
    if (isBusy) return stayBusy(state);
    const fleet = want.node === null ? await deps.fleet() : [];
    const reachable = want.node !== null && hub.isReachable(want.node);
    const next = plan(want, { reachable, observation, blind, fleet }, now().getTime());
    return carryOut(state, next, number);
  }

  function leave(): null {
    isAtRest = true;
    isEnded = true;
    waiters.conclude(Infinity, null);
    options.onGone();
    return null;
  }

  async function stayBusy({ row, want }: WorkspaceState): Promise<null> {
    isAtRest = false;
    const silent = want.node === null ? null : unreachableWarning(want.node);
    const others = (JSON.parse(row.warnings_json) as string[]).filter((line) => line !== silent);
    const isAway = want.node !== null && !hub.isReachable(want.node);
    await refresh({ warnings: isAway && silent ? [...others, silent] : others });
    return null;
  }

  /** Writes what was seen of the services, and leaves the rest as it is. */
  async function refresh(news: { warnings?: readonly string[] } = {}): Promise<void> {
    const state = await readWorkspace(store.db, id, deps.config);
    if (!state) return;
    const { row, want } = state;
    const error = row.error_json === null ? null : (JSON.parse(row.error_json) as ErrorBody);
    const warnings = news.warnings ?? (JSON.parse(row.warnings_json) as string[]);
    await store.transaction((tx) => conclude(tx, state, { status: want.status, step: row.step, error, warnings }));
  }

  async function carryOut(state: WorkspaceState, next: Plan, number: number): Promise<Next> {
    isAtRest = next.kind === 'settled' || next.kind === 'failed' || next.kind === 'gone';
    switch (next.kind) {
      case 'do':
        return doSteps(state, next);
      case 'wait':
        await writePlan(state, { status: next.status, step: next.step, error: null, warnings: next.warnings });
        return next.untilMs;
      case 'settled':
        return rest(state, next, number);
      case 'failed':
        if (await writePlan(state, { status: 'error', step: null, error: next.error, warnings: next.warnings })) {
          waiters.conclude(number, fromBody(next.error));
        }
        return null;
      case 'gone':
        return remove(state);
    }
  }

  async function doSteps(state: WorkspaceState, next: Extract<Plan, { kind: 'do' }>): Promise<Next> {
    const [first] = next.steps;
    if (first?.do === 'place') return place(state, first.node);
    const steps = next.steps.filter((step) => step.do === 'command');
    if (steps.some((step) => step.command.do === 'observe')) return observe(state);
    return send(state, next, steps);
  }

  async function place({ row }: WorkspaceState, node: string): Promise<Next> {
    await store.transaction(async (tx) => {
      const current = await findWorkspace(tx, id);
      if (current?.generation === row.generation) await updateWorkspace(tx, id, { node });
    });
    return 'now';
  }

  /** Looking changes nothing, so it is not in the journal. */
  function observe({ want }: WorkspaceState): null {
    const { node } = want;
    if (observing || node === null) return null;
    observing = true;
    const operation = newId('op');
    const command: AgentCommand = { do: 'observe', workspace_id: id };
    hub
      .run(node, { id: operation, command }, { timeoutMs: commandTimeoutMs.observe })
      .then(
        async (seen) => {
          observation = seen;
          blind = null;
          const row = await findWorkspace(store.db, id);
          if (row && (await store.transaction((tx) => writeObservation(tx, row, seen)))) deps.routesChanged();
        },
        (thrown: unknown) => {
          const error = toNexusError(thrown).toBody();
          blind = { error, attempts: (blind?.attempts ?? 0) + 1, atMs: now().getTime() };
        },
      )
      .catch((error: unknown) => log.error({ err: error, workspace: id }, 'what was seen could not be written down'))
      .finally(() => {
        observing = false;
        hub.forget(node, [operation]);
        wake();
      });
    return null;
  }

  async function send(
    state: WorkspaceState,
    { status, warnings }: Extract<Plan, { kind: 'do' }>,
    steps: readonly Extract<Step, { do: 'command' }>[],
  ): Promise<Next> {
    const { row } = state;
    const commands = steps.map((step) => step.command);
    const step = steps[0]?.step ?? null;
    const operations = await store.transaction(async (tx) => {
      const isCurrent = await conclude(tx, state, { status, step, error: null, warnings });
      return isCurrent ? runner.enter(tx, row.node ?? '', commands, row.generation) : [];
    });
    for (const operation of operations) void runner.run(operation);
    return operations.length > 0 ? null : 'now';
  }

  async function rest(state: WorkspaceState, next: Extract<Plan, { kind: 'settled' }>, number: number): Promise<Next> {
    const { row } = state;
    const { status, warnings } = next;
    if (!(await writePlan(state, { status, step: null, error: null, warnings }))) return 'now';
    if (status === 'running' && row.status === 'creating' && row.generation === 1) {
      deps.metrics.workspaceCreated((now().getTime() - Date.parse(row.created_at)) / 1000);
    }
    waiters.conclude(number, null);
    return next.untilMs;
  }

  /** An operation that is still open may bring the instance back: its row goes when nothing can come any more. */
  async function remove(state: WorkspaceState): Promise<Next> {
    if (state.open.length > 0) return null;
    await deps.dropUpload(id);
    const isRemoved = await store.transaction(async (tx) => {
      const current = await findWorkspace(tx, id);
      if (current?.generation !== state.row.generation) return false;
      await deleteWorkspace(tx, id);
      await appendEvent(tx, { workspace_id: id, type: 'deleted', data: {} });
      return true;
    });
    if (!isRemoved) return 'now';
    deps.routesChanged();
    return leave();
  }

  type Said = {
    readonly status: Parameters<typeof writeConclusion>[2]['status'];
    readonly step: string | null;
    readonly error: ErrorBody | null;
    readonly warnings: readonly string[];
  };

  async function conclude(
    tx: Parameters<typeof writeConclusion>[0],
    state: Pick<WorkspaceState, 'row' | 'want'>,
    said: Said,
  ): Promise<boolean> {
    const services = serviceVerdicts(state.want, observation, now().getTime());
    clock.judged(services, now().getTime());
    return writeConclusion(
      tx,
      id,
      { generation: state.row.generation, ...said, services },
      { publicHost: deps.config.public_host },
    );
  }

  function writePlan(state: WorkspaceState, said: Said): Promise<boolean> {
    const warnings = [...said.warnings, ...portWarnings(state, deps.occupiedPorts())];
    return store.transaction((tx) => conclude(tx, state, { ...said, warnings }));
  }

  function takeOutcome(outcome: Outcome): void {
    observation = 'error' in outcome ? null : outcome.seen;
    blind = null;
    if (!('error' in outcome) && outcome.command.do === 'start_service')
      clock.started(outcome.command.service.name, now().getTime());
    if (!('error' in outcome) && outcome.command.do === 'read_config') void dropTakenUpload();
    wake();
  }

  /** Once the configuration is taken over, the instance is kept and nothing will be cloned from the upload again. */
  async function dropTakenUpload(): Promise<void> {
    const row = await findWorkspace(store.db, id);
    if (row?.uploaded && row.config_json !== null) await deps.dropUpload(id);
  }

  async function commandService(service: string, action: ServiceAction): Promise<void> {
    const state = await readWorkspace(store.db, id, deps.config);
    const wanted = state?.want.services.find(({ spec }) => spec.name === service);
    if (!state || !wanted) throw new NexusError('not_found', { kind: 'service', name: service });
    const { want, row } = state;
    if (want.state !== 'running' || !want.config)
      throw new NexusError('workspace_not_running', { name, status: want.status });
    if (want.node === null || !hub.isReachable(want.node))
      throw new NexusError('node_unreachable', { node: want.node ?? '' });
    await store.transaction((tx) =>
      updateService(tx, id, service, { want: action === 'stop' ? 'stopped' : 'running' }),
    );
    const commands = [
      ...(action === 'start' ? [] : [stopService(want, service)]),
      ...(action === 'stop' ? [] : [startService(want, wanted.spec)]),
    ];
    for (const command of commands) {
      const [operation] = await store.transaction((tx) => runner.enter(tx, want.node ?? '', [command], row.generation));
      const outcome = operation && (await runner.run(operation));
      if (outcome && 'error' in outcome) throw outcome.error;
    }
    await refresh();
  }

  return {
    wake,
    invalidate() {
      observation = null;
      blind = null;
      wake();
    },
    reported(state) {
      if (!observation || observation.instance === (state ?? 'absent')) return;
      observation = null;
      wake();
    },
    servicesReported(services) {
      if (!observation) return;
      observation = { ...observation, services: [...services] };
      wake();
    },
    settled(how) {
      const done = waiters.wait({ pass, ...how });
      wake();
      return done;
    },
    serviceCommand: (service, action) => exclusive(() => commandService(service, action)).finally(wake),
    get isAtRest() {
      return isAtRest;
    },
    end() {
      isEnded = true;
      clearTimeout(timer);
      waiters.conclude(Infinity, new NexusError('shutting_down', {}));
    },
  };
}

function portWarnings({ row, services, want }: WorkspaceState, occupied: ReadonlyMap<number, string>): string[] {
  const ports = [row.ssh_port, ...services.map(({ mapped_port }) => mapped_port)];
  const taken = ports.flatMap((port) => {
    const reason = port === null ? undefined : occupied.get(port);
    return reason === undefined ? [] : [`port ${port} of the host cannot be listened on: ${reason}`];
  });
  const unmapped = services.filter(({ mapped_port }, index) => {
    const spec = want.services[index]?.spec;
    // Ports are given out when the configuration is taken over.
    return want.config !== null && mapped_port === null && spec !== undefined && isExposed(spec);
  });
  return [...taken, ...unmapped.map((service) => `no port of the host is left for ${service.name}`)];
}
