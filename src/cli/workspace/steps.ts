/** The steps of a workspace's way, made of what the server tells: the list that is shown while one waits. */
import type { ServiceView, WorkspaceEvent, WorkspaceStatus, WorkspaceView } from '../../contract/workspace.ts';
import { createStepRows, type Step, type StepRows } from './step-rows.ts';
import { stepTitle } from './step-title.ts';

export type StepList = Pick<StepRows, 'begin' | 'end' | 'detail'> & {
  steps(): readonly Step[];
  applyEvent(event: WorkspaceEvent): void;
  applyView(view: WorkspaceView): void;
  /** One that was not shown while it was under way: somebody may have been asked something meanwhile. */
  tell(step: Pick<Step, 'title' | 'startedMs' | 'state' | 'detail'>): void;
  /** Why it does not go on at the moment: each reason once. What is wrong with a service stands behind its start. */
  warn(view: WorkspaceView): void;
};

const onTheWay: ReadonlySet<WorkspaceStatus> = new Set(['pending', 'creating', 'stopping', 'deleting']);
const observing = 'observing';
const serviceStep = /^starting_service:(.+)$/;

/** Its rows are of the server's steps, and of those of this machine (the upload, say) that are begun and ended. */
export function createStepList(now: () => number): StepList {
  const rows = createStepRows(now);
  /** The step of the server that is under way; services have rows of their own that end when they are healthy. */
  let current: string | null = null;

  function moveTo(step: string | null): void {
    if (step === current) return;
    if (current !== null && !serviceStep.test(current)) rows.end(current, 'done');
    current = step;
    if (step === null || step === observing) return;
    rows.begin(step, stepTitle(step, { isRepeated: rows.all().some(({ key }) => key === step) }));
  }

  function applyStatus(status: WorkspaceStatus, error: { message: string } | null): void {
    if (status === 'error') rows.endAll('failed', error?.message.split('\n')[0]);
    if (status === 'running' || status === 'stopped') moveTo(null);
  }

  function warn({ status, warnings, services }: WorkspaceView): void {
    if (!onTheWay.has(status)) return;
    const told = Object.values(services).map(({ error }) => error?.message);
    for (const text of warnings.filter((one) => !told.includes(one))) {
      if (rows.all().some(({ title }) => title === text)) continue;
      rows.tell({ title: text, state: 'warned', detail: null });
    }
  }

  return {
    ...rows,
    steps: () => rows.all(),
    warn,
    applyEvent({ data }) {
      // A failure ends what is under way before the step is gone, or it would look done.
      if (data.status === 'error') applyStatus(data.status, data.error ?? null);
      if (data.step !== undefined) moveTo(data.step);
      if (data.line !== undefined && current !== null) rows.detail(current, data.line);
      if (data.service !== undefined) applyService(rows, data.service);
      if (data.status !== undefined) applyStatus(data.status, data.error ?? null);
    },
    applyView(view) {
      warn(view);
      if (view.status === 'error') applyStatus(view.status, view.error);
      moveTo(view.step);
      for (const service of Object.values(view.services)) applyService(rows, service);
      applyStatus(view.status, view.error);
    },
  };
}

function applyService(rows: StepRows, { name, status, error }: ServiceView): void {
  const key = `starting_service:${name}`;
  if (status === 'starting') rows.begin(key, stepTitle(key));
  if (status === 'running' || status === 'stopped') rows.end(key, 'done');
  if (status === 'unhealthy') rows.end(key, 'warned', error?.message ?? 'not healthy');
  if (status === 'error') rows.end(key, 'failed', error?.message ?? 'it does not run');
}
