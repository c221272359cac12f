import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { WorkspaceView } from '../../contract/workspace.ts';
import type { Output } from '../terminal/output.ts';
import { ownWarnings, problemText, servicesText } from './workspace-text.ts';

const output = { hasColor: false, isTerminal: false, columns: () => 200 } as unknown as Output;
const error = {
  error: 'health_check_timeout',
  message: 'web was late.',
  hint: 'nexus workspace logs NAME --service web',
};

test('what is wrong with a service stands below the services, with what to do next', () => {
  const web = { name: 'web', status: 'unhealthy', health: 'timeout', url: null, port: null, command: 'x', error };
  const services = [web, { ...web, name: 'db', error: null }] as never;
  const lines = servicesText(services, { workspace: 'shop', output }).split('\n');
  assert.deepEqual(lines.slice(3), ['! web was late.', '  → nexus workspace logs shop --service web', '']);
  const view = { warnings: ['web was late.', 'another'], services: { web } } as unknown as WorkspaceView;
  assert.deepEqual(ownWarnings(view), ['another']);
});

test('without a next step there is none', () => {
  const silent = { ...error, hint: null } as never;
  assert.equal(problemText(silent, { workspace: 'shop', output }), '! web was late.\n');
});
