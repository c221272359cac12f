import assert from 'node:assert/strict';
import { test } from 'node:test';
import { workspaceStatuses } from '../contract/workspace.ts';
import { granted, refusal, transitions, verdicts, type WorkspaceRequest } from './lifecycle.ts';

const requests: WorkspaceRequest[] = ['start', 'stop', 'delete', 'exec', 'connect'];

test('every status answers every request', () => {
  for (const status of workspaceStatuses) assert.deepEqual(Object.keys(verdicts[status]).sort(), requests.toSorted());
});

test('every status can be reached, and leads somewhere', () => {
  for (const status of workspaceStatuses) {
    assert.ok(transitions[status].length > 0, status);
    assert.ok(!transitions[status].includes(status), `${status} follows itself`);
    if (status !== 'pending')
      assert.ok(
        workspaceStatuses.some((from) => transitions[from].includes(status)),
        status,
      );
  }
});

const cases: [string, WorkspaceRequest, { force?: boolean }, string | null][] = [
  ['pending', 'start', {}, 'workspace_already_running'],
  ['pending', 'stop', {}, null],
  ['pending', 'exec', {}, 'workspace_not_running'],
  ['creating', 'delete', {}, 'workspace_still_running'],
  ['creating', 'delete', { force: true }, null],
  ['running', 'start', {}, 'workspace_already_running'],
  ['running', 'stop', {}, null],
  ['running', 'delete', {}, 'workspace_still_running'],
  ['running', 'exec', {}, null],
  ['stopping', 'stop', {}, 'workspace_already_stopped'],
  ['stopping', 'stop', { force: true }, null],
  ['stopping', 'start', {}, null],
  ['stopped', 'stop', {}, 'workspace_already_stopped'],
  ['stopped', 'stop', { force: true }, 'workspace_already_stopped'],
  ['stopped', 'delete', {}, null],
  ['stopped', 'exec', {}, 'workspace_not_running'],
  ['stopped', 'connect', {}, null],
  ['error', 'start', {}, null],
  ['error', 'delete', {}, null],
  ['deleting', 'start', {}, 'workspace_not_running'],
  ['deleting', 'delete', {}, null],
];

for (const [status, request, options, code] of cases) {
  test(`${request}${options.force ? ' --force' : ''} when ${status}: ${code ?? 'granted'}`, () => {
    const error = refusal(status as keyof typeof verdicts, request, { name: 'shop', ...options });
    assert.equal(error?.code ?? null, code);
  });
}

test('what is offered is what is granted', () => {
  assert.deepEqual(granted('stopped'), ['start', 'delete']);
  assert.deepEqual(granted('running'), ['stop', 'exec', 'connect']);
});
