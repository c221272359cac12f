import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceEvent, WorkspaceView } from '../../contract/workspace.ts';
import type { CliContext } from '../context.ts';
import { createStepList } from './steps.ts';
import { waitUntilSettled } from './wait-for-workspace.ts';

const workspace = { workspace_id: 'ws-000000000001', name: 'shop' };
const context = { interrupt: new AbortController().signal } as CliContext;

function view(status: WorkspaceView['status'], step: string | null): WorkspaceView {
  return { ...workspace, status, step, services: {}, error: null, warnings: [] } as unknown as WorkspaceView;
}

/** The first look comes before the first event; each event is told only after a look. */
function clientOf(views: WorkspaceView[], told: WorkspaceEvent['data'][]): Client {
  const looked = Promise.withResolvers<void>();
  return {
    call() {
      const [next] = views.length > 1 ? views.splice(0, 1) : views;
      void setImmediate().then(looked.resolve);
      return Promise.resolve(next);
    },
    async *events(_id: string, { signal }: { signal: AbortSignal }) {
      await looked.promise;
      for (const [index, data] of told.entries()) yield { id: index + 1, type: 'step', data };
      while (!signal.aborted) await setImmediate();
    },
  } as unknown as Client;
}

async function stepsOf(views: WorkspaceView[], told: WorkspaceEvent['data'][], lastEventId?: number) {
  const steps = createStepList(() => 0);
  const progress = { steps, update: () => undefined, [Symbol.dispose]: () => undefined };
  await waitUntilSettled(context, clientOf(views, told), {
    workspace,
    progress,
    ...(lastEventId === undefined ? {} : { lastEventId }),
  });
  return steps.steps().map(({ title }) => title);
}

test('a look that is ahead of the events from the beginning does not tell a step twice', async () => {
  const told = [
    { status: 'pending' as const, step: null },
    { status: 'creating' as const, step: 'preparing_base' },
    { step: 'creating_container' },
    { status: 'running' as const, step: null },
  ];
  const views = [view('creating', 'preparing_base'), view('creating', 'preparing_base'), view('running', null)];
  assert.deepEqual(await stepsOf(views, told, 0), ['Prepare the image', 'Create the container']);
});

test('without events, looks tell the steps', async () => {
  const views = [view('creating', 'cloning'), view('running', null)];
  assert.deepEqual(await stepsOf(views, [{ line: 'Receiving objects' }]), ['Clone the repository']);
});
