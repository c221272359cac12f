import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NexusError } from '../../contract/errors.ts';
import type { ServiceView } from '../../contract/workspace.ts';
import { suggestNextSteps } from './next-steps.ts';

const healthy: ServiceView = {
  name: 'db',
  status: 'running',
  port: 5432,
  mapped_port: null,
  health: 'healthy',
  url: null,
  last_check: null,
  command: 'run',
  error: null,
};
const unhealthy: ServiceView = { ...healthy, name: 'api', status: 'unhealthy' };
const dead: ServiceView = { ...healthy, name: 'job', status: 'error' };
const notStarted: ServiceView = {
  ...healthy,
  name: 'web',
  status: 'error',
  error: new NexusError('dependency_failed', { service: 'web', dependency: 'api' }).toBody(),
};

test('the logs of the services that do not work come first, not of those that wait for them', async () => {
  const context = { env: { HOME: '/nowhere', NEXUS_HOME: '/nowhere/.nexus' } };
  const services = [healthy, unhealthy, notStarted, dead];
  const [first, second, third] = await suggestNextSteps(context, { name: 'shop', registered: true, services });
  assert.deepEqual(
    [first, second, third],
    ['nexus workspace logs shop api', 'nexus workspace logs shop job', 'nexus ssh config'],
  );
});
