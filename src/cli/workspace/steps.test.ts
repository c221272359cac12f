import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceView, WorkspaceEvent, WorkspaceView } from '../../contract/workspace.ts';
import { stepTitle } from './step-title.ts';
import { createStepList } from './steps.ts';
import type { StepList } from './steps.ts';

const titles: readonly [step: string, title: string][] = [
  ['cloning', 'Clone the repository'],
  ['starting_service:web', 'Start web'],
  ['stopping_service:web', 'Stop web'],
  ['running_hook:up', 'Run hooks: up'],
  ['making_coffee', 'Making coffee'],
  ['', ''],
];
for (const [step, title] of titles)
  test(`the step ${step} is called ${title}`, () => assert.equal(stepTitle(step), title));

function event(data: WorkspaceEvent['data']): WorkspaceEvent {
  return { id: 1, workspace_id: 'ws-000000000000', type: 'step', at: '2026-01-17T10:00:00Z', data };
}

const web: ServiceView = {
  name: 'web',
  status: 'starting',
  port: 3000,
  mapped_port: null,
  health: 'unknown',
  url: null,
  last_check: null,
  command: 'npm start',
  error: null,
};
const problem = { error: 'clone_failed', message: 'Could not clone.\nMore.', details: {}, hint: null } as const;

function shown(list: StepList): string[] {
  return list
    .steps()
    .map(
      ({ title, state, startedMs, endedMs, detail }) =>
        `${title} ${state} ${startedMs}-${endedMs ?? ''}${detail === null ? '' : ` ${detail}`}`,
    );
}

function list(): StepList {
  let clock = 0;
  return createStepList(() => clock++);
}

test('each step ends when the next begins', () => {
  const steps = list();
  for (const step of ['observing', 'creating_container', 'creating_container', 'cloning', null])
    steps.applyEvent(event({ step }));
  assert.deepEqual(shown(steps), ['Create the container done 1-2', 'Clone the repository done 3-4']);
});

test('a line of progress is the detail of what is under way', () => {
  const steps = list();
  steps.applyEvent(event({ line: 'too early' }));
  steps.applyEvent(event({ step: 'cloning' }));
  steps.applyEvent(event({ line: 'Receiving objects: 50%' }));
  assert.deepEqual(shown(steps), ['Clone the repository running 0- Receiving objects: 50%']);
});

test('services start side by side, each until it is well or given up', () => {
  const steps = list();
  steps.applyEvent(event({ step: 'starting_service:db' }));
  steps.applyEvent(event({ service: { ...web, name: 'db' } }));
  steps.applyEvent(event({ step: 'starting_service:web' }));
  steps.applyEvent(event({ service: web }));
  steps.applyEvent(event({ step: null }));
  for (const service of [
    { ...web, name: 'db', status: 'running' as const },
    { ...web, status: 'unhealthy' as const },
    { ...web, name: 'api' },
    { ...web, name: 'api', status: 'error' as const, error: problem },
    { ...web, name: 'job' },
    { ...web, name: 'job', status: 'error' as const },
    { ...web, name: 'old' },
    { ...web, name: 'old', status: 'stopped' as const },
    { ...web, name: 'bad' },
    { ...web, name: 'bad', status: 'unhealthy' as const, error: problem },
  ])
    steps.applyEvent(event({ service }));
  assert.deepEqual(shown(steps), [
    'Start db done 0-2',
    'Start web warned 1-3 not healthy',
    'Start api failed 4-5 Could not clone.\nMore.',
    'Start job failed 6-7 it does not run',
    'Start old done 8-9',
    'Start bad warned 10-11 Could not clone.\nMore.',
  ]);
});

test('a failure ends everything with its first line', () => {
  const steps = list();
  steps.applyEvent(event({ step: 'cloning' }));
  steps.applyEvent(event({ status: 'error', error: problem }));
  assert.deepEqual(shown(steps), ['Clone the repository failed 0-1 Could not clone.']);
  const silent = list();
  silent.applyEvent(event({ step: 'cloning' }));
  silent.applyEvent(event({ status: 'error' }));
  assert.deepEqual(shown(silent), ['Clone the repository failed 0-1']);
});

test('a step that failed is not called done though it is over', () => {
  const told = list();
  told.applyEvent(event({ step: 'installing' }));
  told.applyEvent(event({ status: 'error', step: null, error: problem }));
  assert.deepEqual(shown(told), ['Install dependencies failed 0-1 Could not clone.']);
  const seen = list();
  seen.applyEvent(event({ step: 'installing' }));
  seen.applyView({ status: 'error', step: null, services: {}, error: problem } as unknown as WorkspaceView);
  assert.deepEqual(shown(seen), ['Install dependencies failed 0-1 Could not clone.']);
});

test('what is set up again is the environment, of which the services are a part', () => {
  const steps = list();
  for (const step of ['configuring_ssh', 'reading_config', 'configuring_ssh', null]) steps.applyEvent(event({ step }));
  assert.deepEqual(shown(steps), [
    'Set up SSH done 0-1',
    'Read the configuration done 2-3',
    'Set the environment done 4-5',
  ]);
});

test('a look at the workspace fills in what events did not tell', () => {
  const steps = list();
  const view = {
    status: 'creating',
    step: 'cloning',
    services: { web },
    error: null,
    warnings: [],
  } as unknown as WorkspaceView;
  steps.applyView(view);
  steps.applyView({ ...view, status: 'running', step: null, services: { web: { ...web, status: 'running' } } });
  assert.deepEqual(shown(steps), ['Clone the repository done 0-2', 'Start web done 1-3']);
});

test('steps of this machine stand beside those of the server', () => {
  const steps = list();
  steps.begin('upload', 'Send');
  steps.begin('upload', 'Send');
  steps.detail('upload', '50 %');
  steps.end('upload', 'failed', 'lost');
  steps.end('upload', 'done');
  assert.deepEqual(shown(steps), ['Send failed 0-1 lost']);
});

test('why it does not go on is told once, and what is wrong with a service at the service', () => {
  const steps = createStepList(() => 5);
  const error = { error: 'health_check_timeout', message: 'web was not healthy after 30 s' };
  const view = {
    status: 'creating',
    step: null,
    services: { web: { name: 'web', status: 'unhealthy', error } },
    error: null,
    warnings: ['The lxc engine is not available: it is away.', error.message],
  } as unknown as WorkspaceView;
  steps.warn(view);
  steps.applyView(view);
  assert.deepEqual(
    steps.steps().map(({ title, state }) => [title, state]),
    [['The lxc engine is not available: it is away.', 'warned']],
  );
  steps.warn({ ...view, status: 'running', warnings: ['another'] });
  assert.equal(steps.steps().length, 1);
});

test('a step that was not shown while it was under way is told with its time', () => {
  let nowMs = 500;
  const list = createStepList(() => nowMs);
  nowMs = 2000;
  list.tell({ title: 'Sign in to GitHub', startedMs: 500, state: 'done', detail: 'alice' });
  assert.deepEqual(list.steps(), [
    {
      key: 'Sign in to GitHub',
      title: 'Sign in to GitHub',
      state: 'done',
      startedMs: 500,
      endedMs: 2000,
      detail: 'alice',
    },
  ]);
});
