/** The steps of a workspace's way, made of what the server tells: the list that is shown while one waits. */
import type { ServiceView, WorkspaceEvent, WorkspaceStatus, WorkspaceView } from '../../contract/workspace.ts';

export type StepState = 'running' | 'done' | 'failed' | 'warned';

export type Step = {
  readonly key: string;
  readonly title: string;
  readonly state: StepState;
  readonly startedMs: number;
  readonly endedMs: number | null;
  /** The last line of what it does, or why it failed. */
  readonly detail: string | null;
};

const titles: Readonly<Record<string, string>> = {
  preparing_base: 'Prepare the image',
  creating_container: 'Create the container',
  starting_container: 'Start the container',
  configuring_ssh: 'Set up SSH',
  waiting_for_source: 'Wait for the repository',
  cloning: 'Clone the repository',
  reading_config: 'Read the configuration',
  installing: 'Install dependencies',
  running_hook: 'Run hooks',
  stopping_container: 'Stop the container',
  removing_container: 'Remove the container',
};

/** What a step is called when it comes again: the services are known by then. */
const repeatedTitles: Readonly<Record<string, string>> = { configuring_ssh: 'Set the environment' };

/** `starting_service:web` → `Start web`; an unknown step of a newer server → its words. */
export function stepTitle(step: string): string {
  const [name = '', subject] = step.split(':');
  if (name === 'starting_service') return `Start ${subject}`;
  if (name === 'stopping_service') return `Stop ${subject}`;
  const words = titles[name] ?? name.charAt(0).toUpperCase() + name.slice(1).replaceAll('_', ' ');
  return subject === undefined ? words : `${words}: ${subject}`;
}

export type StepList = {
  steps(): readonly Step[];
  applyEvent(event: WorkspaceEvent): void;
  applyView(view: WorkspaceView): void;
  /** A step of this machine, e.g. the upload. */
  begin(key: string, title: string): void;
  end(key: string, state: StepState, detail?: string): void;
  detail(key: string, text: string): void;
  /** One that was not shown while it was under way: somebody may have been asked something meanwhile. */
  tell(step: Pick<Step, 'title' | 'startedMs' | 'state' | 'detail'>): void;
  /** Why it does not go on at the moment: each reason once. What is wrong with a service stands behind its start. */
  warn(view: WorkspaceView): void;
};

const onTheWay: ReadonlySet<WorkspaceStatus> = new Set(['pending', 'creating', 'stopping', 'deleting']);
const observing = 'observing';
const serviceStep = /^starting_service:(.+)$/;

export function createStepList(now: () => number): StepList {
  const steps: Step[] = [];
  /** The step of the server that is under way; services have rows of their own that end when they are healthy. */
  let current: string | null = null;

  function put(key: string, change: Partial<Step>): void {
    const index = steps.findIndex((step) => step.key === key && step.endedMs === null);
    const step = steps[index];
    if (step !== undefined) steps[index] = { ...step, ...change };
  }

  function begin(key: string, title: string): void {
    if (steps.some((step) => step.key === key && step.endedMs === null)) return;
    steps.push({ key, title, state: 'running', startedMs: now(), endedMs: null, detail: null });
  }

  function end(key: string, state: StepState, detail?: string): void {
    put(key, { state, endedMs: now(), detail: detail ?? null });
  }

  function titleInList(step: string): string {
    const repeated = repeatedTitles[step];
    return repeated !== undefined && steps.some(({ key }) => key === step) ? repeated : stepTitle(step);
  }

  function moveTo(step: string | null): void {
    if (step === current) return;
    if (current !== null && !serviceStep.test(current)) end(current, 'done');
    current = step;
    if (step !== null && step !== observing) begin(step, titleInList(step));
  }

  function applyService(service: ServiceView): void {
    const key = `starting_service:${service.name}`;
    if (service.status === 'starting') begin(key, stepTitle(key));
    if (service.status === 'running') end(key, 'done');
    if (service.status === 'unhealthy') end(key, 'warned', service.error?.message ?? 'not healthy');
    if (service.status === 'error') end(key, 'failed', service.error?.message ?? 'it does not run');
    if (service.status === 'stopped') end(key, 'done');
  }

  function applyStatus(status: WorkspaceStatus, error: { message: string } | null): void {
    if (status === 'error') {
      for (const step of steps.filter(({ endedMs }) => endedMs === null))
        end(step.key, 'failed', error?.message.split('\n')[0]);
    }
    if (status === 'running' || status === 'stopped') moveTo(null);
  }

  function warn({ status, warnings, services }: WorkspaceView): void {
    if (!onTheWay.has(status)) return;
    const told = Object.values(services).map(({ error }) => error?.message);
    for (const text of warnings.filter((one) => !told.includes(one))) {
      if (steps.some(({ title }) => title === text)) continue;
      const atMs = now();
      steps.push({ key: text, title: text, state: 'warned', startedMs: atMs, endedMs: atMs, detail: null });
    }
  }

  return {
    steps: () => steps,
    warn,
    begin,
    end,
    detail: (key, text) => put(key, { detail: text }),
    tell: (step) => void steps.push({ ...step, key: step.title, endedMs: now() }),
    applyEvent({ data }) {
      // A failure ends what is under way before the step is gone, or it would look done.
      if (data.status === 'error') applyStatus(data.status, data.error ?? null);
      if (data.step !== undefined) moveTo(data.step);
      if (data.line !== undefined && current !== null) put(current, { detail: data.line });
      if (data.service !== undefined) applyService(data.service);
      if (data.status !== undefined) applyStatus(data.status, data.error ?? null);
    },
    applyView(view) {
      warn(view);
      if (view.status === 'error') applyStatus(view.status, view.error);
      moveTo(view.step);
      for (const service of Object.values(view.services)) applyService(service);
      applyStatus(view.status, view.error);
    },
  };
}
