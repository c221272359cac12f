/** Does what the plan for a workspace says, as far as it can be done now, and writes down what was concluded. */
import { fromBody, type ErrorBody, type NexusError } from '../../contract/errors.ts';
import { stepName } from '../../core/plan/commands.ts';
import type { Plan, Step } from '../../core/plan/plan-types.ts';
import { appendEvent } from '../store/events.ts';
import { deleteWorkspace, findWorkspace, updateWorkspace } from '../store/workspaces.ts';
import type { Conclusions } from './conclusions.ts';
import type { LoopDeps } from './loop-deps.ts';
import { nameInHint } from './name-in-hint.ts';
import type { Observer } from './observer.ts';
import type { OperationRunner } from './operation-runner.ts';
import { commandOf, type WorkspaceState } from './read-want.ts';
import type { SteadyTimes } from './steady-times.ts';
import type { Next } from './wake-loop.ts';

export type CarryOutParts = Pick<LoopDeps, 'store' | 'metrics' | 'dropUpload' | 'routesChanged'> & {
  readonly observer: Pick<Observer, 'look'>;
  readonly conclusions: Conclusions;
  readonly runner: Pick<OperationRunner, 'enter' | 'run'>;
  readonly times: SteadyTimes;
  /** Tells those who wait what the workspace came to; null: it is as it should be. */
  readonly conclude: (error: NexusError | null) => void;
};

type PlanOf<Kind extends Plan['kind']> = Extract<Plan, { kind: Kind }>;

/** Returns when to plan anew; `gone`: there is no such workspace any more. */
export async function carryOut(state: WorkspaceState, plan: Plan, parts: CarryOutParts): Promise<Next | 'gone'> {
  switch (plan.kind) {
    case 'do':
      return doSteps(state, plan, parts);
    case 'wait':
      return wait(state, plan, parts);
    case 'settled':
      return rest(state, plan, parts);
    case 'failed':
      return fail(state, plan, parts);
    case 'gone':
      return remove(state, parts);
  }
}

async function doSteps(state: WorkspaceState, plan: PlanOf<'do'>, parts: CarryOutParts): Promise<Next> {
  const [first] = plan.steps;
  if (first?.do === 'place') return place(state, first.node, parts);
  const steps = plan.steps.filter((step) => step.do === 'command');
  if (!steps.some((step) => step.command.do === 'observe')) return send(state, plan, steps, parts);
  if (state.row.node !== null) parts.observer.look(state.row.node);
  return null;
}

async function place({ row }: WorkspaceState, node: string, { store }: CarryOutParts): Promise<Next> {
  await store.transaction(async (tx) => {
    const current = await findWorkspace(tx, row.id);
    if (current?.generation === row.generation) await updateWorkspace(tx, row.id, { node });
  });
  return 'now';
}

async function send(
  state: WorkspaceState,
  { status, warnings }: PlanOf<'do'>,
  steps: readonly Extract<Step, { do: 'command' }>[],
  { store, conclusions, runner }: CarryOutParts,
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

/** Of one that is in error and cannot be looked at, nothing is known that would make an end of the error. */
async function wait(
  state: WorkspaceState,
  { status, step, warnings, untilMs }: PlanOf<'wait'>,
  { conclusions, conclude }: CarryOutParts,
): Promise<Next> {
  const { error_json } = state.row;
  const error = status === 'error' && error_json !== null ? (JSON.parse(error_json) as ErrorBody) : null;
  await conclusions.write(state, { status, step, error, warnings });
  if (error) conclude(fromBody(error));
  return untilMs;
}

async function rest(
  state: WorkspaceState,
  { status, warnings, untilMs }: PlanOf<'settled'>,
  { conclusions, conclude, metrics, times }: CarryOutParts,
): Promise<Next> {
  const { row } = state;
  if (!(await conclusions.write(state, { status, step: null, error: null, warnings }))) return 'now';
  if (status === 'running' && row.status === 'creating' && row.generation === 1) {
    metrics.workspaceCreated((times.now() - times.at('creation', row.created_at)) / 1000);
  }
  conclude(null);
  return untilMs;
}

async function fail(
  state: WorkspaceState,
  plan: PlanOf<'failed'>,
  { conclusions, conclude }: CarryOutParts,
): Promise<Next> {
  const { warnings } = plan;
  const error = nameInHint(plan.error, state.row.name);
  const isWritten = await conclusions.write(state, { status: 'error', step: null, error, warnings });
  if (!isWritten) return 'now';
  conclude(fromBody(error));
  return null;
}

/** An operation that is still open may bring the instance back: its row goes when nothing can come any more. */
async function remove(
  state: WorkspaceState,
  { store, conclusions, dropUpload, routesChanged }: CarryOutParts,
): Promise<Next | 'gone'> {
  const { id, generation } = state.row;
  const [waitedFor] = state.open;
  if (waitedFor) {
    const step = stepName(commandOf(waitedFor));
    await conclusions.write(state, { status: 'deleting', step, error: null, warnings: [] });
    return null;
  }
  await dropUpload(id);
  const isRemoved = await store.transaction(async (tx) => {
    const current = await findWorkspace(tx, id);
    if (current?.generation !== generation) return false;
    await deleteWorkspace(tx, id);
    await appendEvent(tx, { workspace_id: id, type: 'deleted', data: {} });
    return true;
  });
  if (!isRemoved) return 'now';
  routesChanged();
  return 'gone';
}
