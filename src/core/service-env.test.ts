import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isExposed, serviceVariablePrefix, workspaceEnv } from './service-env.ts';

test('the environment names the workspace, and each service by host, port and URL', () => {
  const env = workspaceEnv({ id: 'ws-abcdefghijkl', name: 'shop' }, [
    { name: 'db', port: 5432 },
    { name: 'api-v2', port: 4000 },
    { name: 'worker' },
  ]);
  assert.deepEqual(env, {
    NEXUS_WORKSPACE_ID: 'ws-abcdefghijkl',
    NEXUS_WORKSPACE_NAME: 'shop',
    NEXUS_SERVICE_DB_HOST: '127.0.0.1',
    NEXUS_SERVICE_DB_PORT: '5432',
    NEXUS_SERVICE_DB_URL: 'postgresql://127.0.0.1:5432',
    NEXUS_SERVICE_API_V2_HOST: '127.0.0.1',
    NEXUS_SERVICE_API_V2_PORT: '4000',
    NEXUS_SERVICE_API_V2_URL: 'http://127.0.0.1:4000',
    NEXUS_SERVICE_WORKER_HOST: '127.0.0.1',
  });
});

test('every other character than a letter or digit becomes _', () => {
  assert.equal(serviceVariablePrefix('my_web-2'), 'NEXUS_SERVICE_MY_WEB_2_');
});

test('mapped on the host: what has a port, unless it is a database or says no', () => {
  assert.equal(isExposed({ port: 3000 }), true);
  assert.equal(isExposed({ port: 3000, expose: false }), false);
  assert.equal(isExposed({ port: 5432 }), false);
  assert.equal(isExposed({ port: 5432, expose: true }), true);
  assert.equal(isExposed({ expose: true }), false);
});
