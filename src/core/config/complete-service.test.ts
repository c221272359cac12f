import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ServiceSpec } from '../../contract/service-spec.ts';
import { completeService } from './complete-service.ts';

const timing = { interval: 5, timeout: 3, retries: 5 };
const bare = { name: 'web', command: 'x', env: {}, depends_on: [] };

test('a service with what it leaves open filled in', () => {
  const table: [Partial<ServiceSpec>, Partial<ServiceSpec>][] = [
    [{}, {}],
    [{ port: 3000 }, { expose: true, health_check: { type: 'tcp', port: 3000, ...timing } }],
    [{ port: 5432 }, { expose: false, health_check: { type: 'tcp', port: 5432, ...timing } }],
    [
      { port: 5432, expose: true },
      { expose: true, health_check: { type: 'tcp', port: 5432, ...timing } },
    ],
    [
      { port: 3000, health_check: { type: 'http', path: '/', ...timing } },
      { expose: true, health_check: { type: 'http', path: '/', port: 3000, ...timing } },
    ],
    [
      { port: 3000, health_check: { type: 'tcp', port: 3001, ...timing } },
      { expose: true, health_check: { type: 'tcp', port: 3001, ...timing } },
    ],
    [
      { port: 3000, health_check: { type: 'exec', command: 'true', ...timing } },
      { expose: true, health_check: { type: 'exec', command: 'true', ...timing } },
    ],
    [
      { health_check: { type: 'exec', command: 'true', ...timing } },
      { health_check: { type: 'exec', command: 'true', ...timing } },
    ],
  ];
  for (const [given, added] of table) {
    assert.deepEqual(completeService({ ...bare, ...given }), { ...bare, ...given, ...added });
  }
});
