import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ServerUnreachable } from '../../contract/api-client.ts';
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { WorkspaceEvent, WorkspaceView } from '../../contract/workspace.ts';
import { followEvents, persist } from './follow-events.ts';
import { isSettled, watchWorkspace } from './watch-workspace.ts';

const away = new ServerUnreachable('http://127.0.0.1:3001', 'the connection was refused');
const patient = { awayMs: 60_000, backoff: { firstMs: 1, maxMs: 1 } };
const impatient = { ...patient, awayMs: 0 };

function event(id: number, type: WorkspaceEvent['type'] = 'status'): WorkspaceEvent {
  return { id, workspace_id: 'ws-000000000001', type, at: '2026-01-17T10:00:00Z', data: {} };
}

/** Each connection gives these events and then ends; an error breaks it. */
function eventsClient(connections: readonly (WorkspaceEvent | Error)[][]): {
  client: Client;
  asked: (number | undefined)[];
} {
  const asked: (number | undefined)[] = [];
  async function* events(_id: string, options: { lastEventId?: number } = {}): AsyncGenerator<WorkspaceEvent> {
    const entries = connections[asked.length] ?? [];
    asked.push(options.lastEventId);
    for (const entry of entries) {
      if (entry instanceof Error) throw entry;
      yield entry;
    }
  }
  return { client: { events } as unknown as Client, asked };
}

async function collect(
  connections: readonly (WorkspaceEvent | Error)[][],
  options: { lastEventId?: number; patience?: typeof patient } = {},
) {
  const { client, asked } = eventsClient(connections);
  const ids: number[] = [];
  const signal = new AbortController().signal;
  for await (const { id } of followEvents(client, 'ws-000000000001', { patience: patient, ...options, signal }))
    ids.push(id);
  return { ids, asked };
}

test('events go on where they broke off', async () => {
  const connections = [
    [event(1), away],
    [new NexusError('shutting_down', {})],
    [event(2)],
    [],
    [event(3, 'deleted'), event(4)],
  ];
  assert.deepEqual(await collect(connections), { ids: [1, 2, 3], asked: [undefined, 1, 1, 2, 2] });
  assert.deepEqual(await collect([[event(8, 'deleted')]], { lastEventId: 7 }), { ids: [8], asked: [7] });
});

test('a server that stays away, and a failure that will not pass, end them', async () => {
  await assert.rejects(collect([[away], [away]], { patience: impatient }), away);
  await assert.rejects(collect([[new NexusError('not_found', { kind: 'workspace', name: 'x' })]]), {
    code: 'not_found',
  });
});

test('what was aborted is not begun', async () => {
  const { client, asked } = eventsClient([[event(1)]]);
  for await (const one of followEvents(client, 'x', { signal: AbortSignal.abort() })) assert.fail(String(one.id));
  assert.deepEqual(asked, []);
});

test('a call is made until it works', async () => {
  const { signal } = new AbortController();
  const results = [away, new NexusError('rate_limited', { limit: 1, retry_after_seconds: 1 }), 'done'];
  const told: unknown[] = [];
  const attempt = async (): Promise<unknown> => {
    const result = results.shift();
    if (result instanceof Error) throw result;
    return result;
  };
  assert.equal(await persist(attempt, { signal, patience: patient, onAway: (error) => told.push(error) }), 'done');
  assert.equal(told.length, 2);
  await assert.rejects(
    persist(() => Promise.reject(away), { signal, patience: impatient }),
    away,
  );
  assert.equal(await persist(() => Promise.resolve(1), { signal }), 1);
});

const view = {
  workspace_id: 'ws-000000000001',
  status: 'running',
  step: null,
  services: {},
} as unknown as WorkspaceView;

const settled: readonly [change: object, settled: boolean][] = [
  [{}, true],
  [{ status: 'stopped' }, true],
  [{ status: 'error', step: 'cloning' }, true],
  [{ status: 'creating' }, false],
  [{ step: 'cloning' }, false],
  [{ services: { web: { status: 'starting' } } }, false],
  [{ services: { web: { status: 'pending' } } }, false],
  [{ services: { web: { status: 'unhealthy' }, db: { status: 'running' } } }, true],
];
for (const [change, expected] of settled) {
  test(`${JSON.stringify(change)} is settled: ${expected}`, () =>
    assert.equal(isSettled({ ...view, ...change }), expected));
}

test('a watch needs no events: it looks by itself', async () => {
  let looks = 0;
  const { client } = eventsClient([]);
  const looking = {
    ...client,
    call: async () => (++looks === 1 ? { ...view, status: 'creating' } : view),
  } as unknown as Client;
  const { signal } = new AbortController();
  const seen: string[] = [];
  const end = await watchWorkspace(looking, 'x', {
    isDone: isSettled,
    onView: ({ status }) => seen.push(status),
    signal,
    pollMs: 5,
    patience: patient,
  });
  assert.deepEqual([end.status, seen], ['running', ['creating', 'running']]);
});

test('a failed look ends a watch, and so does its signal', async () => {
  const { client } = eventsClient([[new NexusError('not_found', { kind: 'workspace', name: 'x' })]]);
  const gone = {
    ...client,
    call: () => Promise.reject(new NexusError('not_found', { kind: 'workspace', name: 'x' })),
  } as unknown as Client;
  await assert.rejects(watchWorkspace(gone, 'x', { isDone: isSettled, signal: new AbortController().signal }), {
    code: 'not_found',
  });
  const controller = new AbortController();
  const waiting = { ...client, call: async () => ({ ...view, status: 'creating' }) } as unknown as Client;
  const watching = watchWorkspace(waiting, 'x', {
    isDone: isSettled,
    onView: () => controller.abort(new Error('enough')),
    signal: controller.signal,
  });
  await assert.rejects(watching, { message: 'enough' });
});
