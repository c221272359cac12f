import assert from 'node:assert/strict';
import { PassThrough, duplexPair } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { ServerUnreachable } from '../../contract/api-client.ts';
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { WorkspaceEvent, WorkspaceView } from '../../contract/workspace.ts';
import type { CliContext } from '../context.ts';
import { deleteWorkspace, stopWorkspace } from './stop-workspace.ts';
import { joinStreams } from './tunnel.ts';
import { errorOf } from './wait-for-workspace.ts';

const away = new ServerUnreachable('http://127.0.0.1:3001', 'the connection was reset');
const workspace = {
  workspace_id: 'ws-000000000001',
  name: 'shop',
  status: 'stopped',
  updated_at: '2026-01-17T10:00:00Z',
  step: null,
  error: null,
} as WorkspaceView;

function contextOf(options: { onText?: (text: string) => void } = {}): CliContext {
  const stderr = {
    write: options.onText ?? (() => undefined),
    stream: new PassThrough(),
    isTerminal: options.onText !== undefined,
    hasColor: false,
    columns: () => 80,
  };
  return { stderr, interrupt: new AbortController().signal } as unknown as CliContext;
}

/** Gives each call its next result, and a look the workspace. */
function clientOf(...results: unknown[]): Client {
  const call = async (name: string): Promise<unknown> => {
    if (name === 'getWorkspace') return workspace;
    const result = results.shift();
    if (result instanceof Error) throw result;
    return result;
  };
  async function* events(): AsyncGenerator<WorkspaceEvent> {
    yield { id: 1, workspace_id: workspace.workspace_id, type: 'deleted', at: '', data: {} };
  }
  return { call, events } as unknown as Client;
}

const gone = new NexusError('not_found', { kind: 'workspace', name: 'shop' });
const alreadyStopped = new NexusError('workspace_already_stopped', { name: 'shop' });

test('a stop whose answer was lost with the server is not taken for a conflict', async () => {
  const stopped = await stopWorkspace(contextOf(), clientOf(away, alreadyStopped), { workspace, force: false });
  assert.deepEqual(stopped, {
    workspace_id: workspace.workspace_id,
    status: 'stopped',
    stopped_at: workspace.updated_at,
  });
  await assert.rejects(
    stopWorkspace(contextOf(), clientOf(alreadyStopped), { workspace, force: false }),
    alreadyStopped,
  );
});

test('a stop whose answer was lost is waited for all the same', async () => {
  const looks = [{ ...workspace, status: 'stopping' }, workspace];
  const client = {
    ...clientOf(),
    async call(name: string): Promise<unknown> {
      if (name === 'getWorkspace') return looks.shift() ?? workspace;
      throw looks.length === 2 && wasAsked++ === 0 ? away : alreadyStopped;
    },
  } as unknown as Client;
  let wasAsked = 0;
  assert.equal((await stopWorkspace(contextOf(), client, { workspace, force: false })).status, 'stopped');
  assert.equal(looks.length, 0);
  const failed = { ...workspace, status: 'error', error: new NexusError('internal', {}).toBody() };
  const failing = { ...clientOf(), call: async (name: string) => (name === 'getWorkspace' ? failed : refuse()) };
  const answers = [away, alreadyStopped];
  const refuse = (): never => {
    throw answers.shift() ?? alreadyStopped;
  };
  await assert.rejects(stopWorkspace(contextOf(), failing as unknown as Client, { workspace, force: false }), /failed/);
});

test('a delete whose answer was lost with the server is done when it is gone', async () => {
  await deleteWorkspace(contextOf(), clientOf(away, gone), workspace);
  await assert.rejects(deleteWorkspace(contextOf(), clientOf(gone), workspace), gone);
  await assert.rejects(deleteWorkspace(contextOf(), clientOf(away, alreadyStopped), workspace), alreadyStopped);
});

test('a delete that waits for an image says so, and goes on when the server has waited long enough', async () => {
  const told: WorkspaceEvent['data'][] = [
    { line: 'Unpacking postgresql' },
    { step: null },
    { step: 'removing_container' },
  ];
  const isShown = Promise.withResolvers<void>();
  let shown = '';
  const context = contextOf({
    onText(text) {
      shown += text;
      if (text.includes('Remove the container')) isShown.resolve();
    },
  });
  const answers = [
    () => Promise.reject(new NexusError('timeout', { what: 'It', seconds: 180 })),
    () => isShown.promise,
  ];
  const client = {
    call: () => answers.shift()?.(),
    async *events() {
      for (const [id, data] of told.entries()) yield { id, type: data.line ? 'progress' : 'step', data };
      yield { id: told.length, type: 'deleted', data: {} };
    },
  } as unknown as Client;
  await deleteWorkspace(context, client, { ...workspace, status: 'creating', step: 'preparing_base' });
  assert.match(shown, /Delete shop {2}.*Prepare the image\n[^]*  Unpacking postgresql\n[^]*✔ Delete shop/);
  assert.equal(answers.length, 0);
});

test('a workspace in error without saying why is told to be looked at', () => {
  assert.equal(errorOf(workspace).next, 'nexus doctor');
  const silent = { ...new NexusError('timeout', { what: 'It', seconds: 1 }).toBody(), hint: null };
  assert.equal(errorOf({ ...workspace, error: silent }).next, 'nexus workspace show shop');
});

test('an end that has said all still hears the answer, for a while', async () => {
  const [tunnel, far] = duplexPair();
  const [input, output] = [new PassThrough(), new PassThrough()];
  const heard = text(output);
  const joined = joinStreams({ input, output }, tunnel, { lingerMs: 1 });
  far.once('data', () => far.write('answer'));
  input.end('question');
  await joined;
  output.end();
  assert.equal(await heard, 'answer');
});

test('an end that breaks ends both, and a broken tunnel is a failure', async () => {
  for (const end of ['input', 'output'] as const) {
    const [tunnel] = duplexPair();
    const local = { input: new PassThrough(), output: new PassThrough() };
    const joined = joinStreams(local, tunnel);
    local[end].destroy(new Error('broken pipe'));
    await joined;
    assert.ok(tunnel.destroyed);
  }
  const [tunnel] = duplexPair();
  const joined = joinStreams({ input: new PassThrough(), output: new PassThrough() }, tunnel);
  tunnel.destroy(new Error('reset'));
  await assert.rejects(joined, { message: 'reset' });
});
