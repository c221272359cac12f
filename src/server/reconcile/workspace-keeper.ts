/**
 * Looks at one workspace, plans, and does the next thing that brings it nearer to what it should be. All that must be
 * remembered is in the database; what is held here is what was seen.
 */
import type { NexusError } from '../../contract/errors.ts';
import { plan, unreachableWarning } from '../../core/plan/plan.ts';
import type { Plan } from '../../core/plan/plan-types.ts';
import type { OperationRow, WorkspaceRow } from '../store/schema.ts';
import { findWorkspace } from '../store/workspaces.ts';
import { carryOut } from './carry-out.ts';
import { commandService, type ServiceAction } from './command-service.ts';
import { createConclusions } from './conclusions.ts';
import type { LoopDeps } from './loop-deps.ts';
import { createObserver, type Observer } from './observer.ts';
import { createOperationRunner, type Outcome } from './operation-runner.ts';
import { readWorkspace, type WorkspaceState } from './read-want.ts';
import { createServiceClock } from './service-clock.ts';
import type { SteadyTimes } from './steady-times.ts';
import type { Next } from './wake-loop.ts';

export type WorkspaceKeeper = Pick<Observer, 'reported' | 'servicesReported'> & {
  /** Does the next thing. Returns when to do so again; `gone`: there is nothing left to do it for. */
  pass(listener: PassListener): Promise<Next | 'gone'>;
  /** What was seen may not be so any more. */
  invalidate(): void;
  /** Must not overlap with a pass. @throws as `commandService` */
  commandService(service: string, action: ServiceAction): Promise<void>;
  /** As far as is known: it is what it should be, or cannot become so. */
  readonly isAtRest: boolean;
};

/** Is told what a pass finds out. */
export type PassListener = {
  readonly onWant: (want: WorkspaceRow['want']) => void;
  /** What the workspace came to; null: it is as it should be. */
  readonly onConclusion: (error: NexusError | null) => void;
};

export function createWorkspaceKeeper(
  id: string,
  deps: LoopDeps,
  { times, onNews }: { readonly times: SteadyTimes; readonly onNews: () => void },
): WorkspaceKeeper {
  const clock = createServiceClock(deps.metrics);
  const observer = createObserver(id, deps, { times, onSeen: onNews });
  const conclusions = createConclusions(id, deps, { observer, clock, times });
  const runner = createOperationRunner(id, deps, { name: () => name, onOutcome: takeOutcome });
  let name = id;
  let generation = 0;
  let isAtRest = false;

  async function pass({ onWant, onConclusion }: PassListener): Promise<Next | 'gone'> {
    const state = await readWorkspace(deps.store.db, id, { ...deps.config, times });
    if (!state) {
      isAtRest = true;
      return 'gone';
    }
    onWant(state.row.want);
    heed(state);
    if (awaited(state).length > 0) {
      isAtRest = false;
      await conclusions.refresh({ warnings: warningsWhileBusy(state, deps.hub) });
      return null;
    }
    const next = await planFor(state, observer, { ...deps, times });
    isAtRest = next.kind === 'settled' || next.kind === 'failed' || next.kind === 'gone';
    return carryOut(state, next, { ...deps, observer, conclusions, runner, times, conclude: onConclusion });
  }

  function heed({ row, open }: WorkspaceState): void {
    name = row.name;
    if (row.generation !== generation) observer.forgive();
    generation = row.generation;
    for (const operation of open) void runner.run(operation);
  }

  function takeOutcome(outcome: Outcome): void {
    const { command } = outcome;
    const isDone = 'seen' in outcome;
    observer.take(isDone && outcome.isCurrent ? outcome.seen : null);
    if (isDone && command.do === 'start_service') clock.started(command.service.name, times.now());
    if (isDone && command.do === 'read_config') dropTakenUpload(id, deps);
    onNews();
  }

  return {
    pass,
    reported: (state) => observer.reported(state),
    servicesReported: (services) => observer.servicesReported(services),
    invalidate() {
      runner.doubt();
      observer.invalidate();
    },
    async commandService(service, action) {
      await commandService(id, { service, action }, { ...deps, runner, times });
      await conclusions.refresh();
    },
    get isAtRest() {
      return isAtRest;
    },
  };
}

/** Stopping and deleting do not wait for what an older wish has under way: they make an end of it. */
function awaited({ row, want, open }: WorkspaceState): readonly OperationRow[] {
  return want.state === 'running' ? open : open.filter(({ generation }) => generation === row.generation);
}

function warningsWhileBusy({ row, want }: WorkspaceState, hub: LoopDeps['hub']): string[] {
  const silent = want.node === null ? [] : [unreachableWarning(want.node)];
  const others = (JSON.parse(row.warnings_json) as string[]).filter((line) => !silent.includes(line));
  const isAway = want.node !== null && !hub.isReachable(want.node);
  return isAway ? [...others, ...silent] : others;
}

async function planFor(
  { want }: WorkspaceState,
  observer: Pick<Observer, 'known'>,
  { hub, fleet, times }: Pick<LoopDeps, 'hub' | 'fleet'> & { readonly times: SteadyTimes },
): Promise<Plan> {
  const candidates = want.node === null ? await fleet() : [];
  const reachable = want.node !== null && hub.isReachable(want.node);
  const { blind } = observer.known;
  const observation = times.observation(observer.known.observation);
  return plan(want, { reachable, observation, blind, fleet: candidates }, times.now());
}

/** Once the configuration is taken over, the instance is kept and nothing will be cloned from the upload again. */
function dropTakenUpload(id: string, { store, dropUpload, log }: Pick<LoopDeps, 'store' | 'dropUpload' | 'log'>): void {
  const drop = async (): Promise<void> => {
    const row = await findWorkspace(store.db, id);
    if (row?.uploaded && row.config_json !== null) await dropUpload(id);
  };
  drop().catch((error: unknown) => log.error({ err: error, workspace: id }, 'an upload could not be dropped'));
}
