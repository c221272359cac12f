/**
 * Makes one workspace what it should be: looks, plans, does, one thing after the other, whenever something changed or
 * the plan said to look again. All that it must remember is in the database; what it holds here is what it has seen.
 */
import { fromBody, NexusError, type ErrorBody } from '../../contract/errors.ts';
import { stepName } from '../../core/plan/commands.ts';
import { plan, unreachableWarning } from '../../core/plan/plan.ts';
import type { Plan, Step } from '../../core/plan/plan-types.ts';
import { createMutex } from '../../lib/mutex.ts';
import { appendEvent } from '../store/events.ts';
import { deleteWorkspace, findWorkspace, updateWorkspace } from '../store/workspaces.ts';
import { commandService, type ServiceAction } from './command-service.ts';
import { createConclusions } from './conclusions.ts';
import type { LoopDeps } from './loop-deps.ts';
import { createObserver, type Observer } from './observer.ts';
import { createOperationRunner, type Outcome } from './operation-runner.ts';
import { commandOf, readWorkspace, type WorkspaceState } from './read-want.ts';
import { createServiceClock } from './service-clock.ts';
import { createSettleWaiters, type SettleOptions } from './settle-waiters.ts';
import { createSteadyTimes } from './steady-times.ts';

export type WorkspaceLoop = Pick<Observer, 'reported' | 'servicesReported'> & {
  /** Look at it soon. */
  wake(): void;
  /** What was seen may not be so any more: look at it anew. */
  invalidate(): void;
  settled(options: SettleOptions): Promise<void>;
  serviceCommand(service: string, action: ServiceAction): Promise<void>;
  /** As far as is known: it is what it should be, or cannot become so. */
  readonly isAtRest: boolean;
  /** Ends the loop; what is under way at the node goes on there. */
  end(): void;
};

/** When to look again: at once, at a time (of the steady clock), or when woken. */
type Next = 'now' | number | null;
type PlanOf<Kind extends Plan['kind']> = Extract<Plan, { kind: Kind }>;

const retryAfterFaultMs = 5_000;
/** A time that a node named may be far off, and a longer timer than Node.js has would end at once. */
const longestWaitMs = 60 * 60_000;

export function createWorkspaceLoop(
  id: string,
  deps: LoopDeps,
  options: { readonly onGone: () => void },
): WorkspaceLoop {
  const { store, hub, log } = deps;
  const exclusive = createMutex();
  const waiters = createSettleWaiters(id);
  const clock = createServiceClock(deps.metrics);
  const ended = new AbortController();
  const times = createSteadyTimes(deps.now);
  const observer = createObserver(id, deps, { times, onSeen: wake });
  const conclusions = createConclusions(id, deps, { observer, clock, times });
  const runner = createOperationRunner(id, deps, { name: () => name, onOutcome: takeOutcome });
  let name = id;
  let generation = 0;
  let isAtRest = false;
  let pass = 0;
  let isWanted = false;
  let running: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  function wake(): void {
    isWanted = true;
    clearTimeout(timer);
    if (!ended.signal.aborted) running ??= drive();
  }

  async function drive(): Promise<void> {
    while (isWanted && !ended.signal.aborted) {
      isWanted = false;
      const next = await exclusive(look).catch((error: unknown) => {
        log.error({ err: error, workspace: id }, 'a workspace could not be looked at');
        return times.now() + retryAfterFaultMs;
      });
      if (next === 'now') isWanted = true;
      else if (next !== null && !isWanted && !ended.signal.aborted) {
        timer = setTimeout(wake, Math.min(longestWaitMs, Math.max(0, next - times.now())));
      }
    }
    running = null;
  }

  async function look(): Promise<Next> {
    pass += 1;
    const number = pass;
    const state = await readWorkspace(store.db, id, { ...deps.config, times });
    if (!state) return leave();
    const { row, want, open } = state;
    name = row.name;
    waiters.wanted(row.want);
    if (row.generation !== generation) observer.forgive();
    generation = row.generation;
    for (const operation of open) void runner.run(operation);
    // Stopping and deleting do not wait for what an older wish has under way: they make an end of it.
    const awaited = want.state === 'running' ? open : open.filter(({ generation }) => generation === row.generation);
    if (awaited.length > 0) return stayBusy(state);
    const fleet = want.node === null ? await deps.fleet() : [];
    const reachable = want.node !== null && hub.isReachable(want.node);
    const { blind } = observer.known;
    const observation = times.observation(observer.known.observation);
    return carryOut(state, plan(want, { reachable, observation, blind, fleet }, times.now()), number);
  }

  function leave(): null {
    isAtRest = true;
    ended.abort();
    waiters.conclude(Infinity, null);
    options.onGone();
    return null;
  }

  async function stayBusy({ row, want }: WorkspaceState): Promise<null> {
    isAtRest = false;
    const silent = want.node === null ? [] : [unreachableWarning(want.node)];
    const others = (JSON.parse(row.warnings_json) as string[]).filter((line) => !silent.includes(line));
    const isAway = want.node !== null && !hub.isReachable(want.node);
    await conclusions.refresh({ warnings: isAway ? [...others, ...silent] : others });
    return null;
  }

  async function carryOut(state: WorkspaceState, next: Plan, number: number): Promise<Next> {
    isAtRest = next.kind === 'settled' || next.kind === 'failed' || next.kind === 'gone';
    switch (next.kind) {
      case 'do':
        return doSteps(state, next);
      case 'wait':
        return wait(state, next, number);
      case 'settled':
        return rest(state, next, number);
      case 'failed':
        return fail(state, next, number);
      case 'gone':
        return remove(state);
    }
  }

  /** Of one that is in error and cannot be looked at, nothing is known that would make an end of the error. */
  async function wait(state: WorkspaceState, next: PlanOf<'wait'>, number: number): Promise<Next> {
    const { error_json } = state.row;
    const error = next.status === 'error' && error_json !== null ? (JSON.parse(error_json) as ErrorBody) : null;
    await conclusions.write(state, { status: next.status, step: next.step, error, warnings: next.warnings });
    if (error) waiters.conclude(number, fromBody(error));
    return next.untilMs;
  }

  async function doSteps(state: WorkspaceState, next: PlanOf<'do'>): Promise<Next> {
    const [first] = next.steps;
    if (first?.do === 'place') return place(state, first.node);
    const steps = next.steps.filter((step) => step.do === 'command');
    if (!steps.some((step) => step.command.do === 'observe')) return send(state, next, steps);
    if (state.row.node !== null) observer.look(state.row.node);
    return null;
  }

  async function place({ row }: WorkspaceState, node: string): Promise<Next> {
    await store.transaction(async (tx) => {
      const current = await findWorkspace(tx, id);
      if (current?.generation === row.generation) await updateWorkspace(tx, id, { node });
    });
    return 'now';
  }

  async function send(
    state: WorkspaceState,
    { status, warnings }: PlanOf<'do'>,
    steps: readonly Extract<Step, { do: 'command' }>[],
  ): Promise<Next> {
    const { row } = state;
    const commands = steps.map((step) => step.command);
    const said = { status, step: steps[0]?.step ?? null, error: null, warnings };
    const operations = await store.transaction(async (tx) => {
      const isCurrent = await conclusions.writeIn(tx, state, said);
      return isCurrent ? runner.enter(tx, row.node ?? '', commands, row.generation) : [];
    });
    for (const operation of operations) void runner.run(operation);
    return operations.length > 0 ? null : 'now';
  }

  async function rest(state: WorkspaceState, next: PlanOf<'settled'>, number: number): Promise<Next> {
    const { row } = state;
    const { status, warnings } = next;
    if (!(await conclusions.write(state, { status, step: null, error: null, warnings }))) return 'now';
    if (status === 'running' && row.status === 'creating' && row.generation === 1) {
      deps.metrics.workspaceCreated((times.now() - times.at('creation', row.created_at)) / 1000);
    }
    waiters.conclude(number, null);
    return next.untilMs;
  }

  async function fail(state: WorkspaceState, { error, warnings }: PlanOf<'failed'>, number: number): Promise<Next> {
    const isWritten = await conclusions.write(state, { status: 'error', step: null, error, warnings });
    if (!isWritten) return 'now';
    waiters.conclude(number, fromBody(error));
    return null;
  }

  /** An operation that is still open may bring the instance back: its row goes when nothing can come any more. */
  async function remove(state: WorkspaceState): Promise<Next> {
    const [waitedFor] = state.open;
    if (waitedFor) {
      const step = stepName(commandOf(waitedFor));
      await conclusions.write(state, { status: 'deleting', step, error: null, warnings: [] });
      return null;
    }
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

  function takeOutcome(outcome: Outcome): void {
    const { command } = outcome;
    const isDone = 'seen' in outcome;
    observer.take(isDone && outcome.isCurrent ? outcome.seen : null);
    if (isDone && command.do === 'start_service') clock.started(command.service.name, times.now());
    if (isDone && command.do === 'read_config') {
      dropTakenUpload().catch((error: unknown) =>
        log.error({ err: error, workspace: id }, 'an upload could not be dropped'),
      );
    }
    wake();
  }

  /** Once the configuration is taken over, the instance is kept and nothing will be cloned from the upload again. */
  async function dropTakenUpload(): Promise<void> {
    const row = await findWorkspace(store.db, id);
    if (row?.uploaded && row.config_json !== null) await deps.dropUpload(id);
  }

  return {
    wake,
    invalidate() {
      runner.doubt();
      observer.invalidate();
      wake();
    },
    reported: (state) => observer.reported(state),
    servicesReported: (services) => observer.servicesReported(services),
    settled(how) {
      const done = waiters.wait({ pass, ...how });
      wake();
      return done;
    },
    serviceCommand(service, action) {
      const command = async (): Promise<void> => {
        await commandService(id, { service, action }, { ...deps, runner, times });
        await conclusions.refresh();
      };
      return exclusive(command).finally(wake);
    },
    get isAtRest() {
      return isAtRest;
    },
    end() {
      ended.abort();
      clearTimeout(timer);
      waiters.conclude(Infinity, new NexusError('shutting_down', {}));
    },
  };
}
