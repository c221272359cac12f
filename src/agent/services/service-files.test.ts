import assert from 'node:assert/strict';
import { it } from 'node:test';
import { healthCheck, serviceSpec } from '../../contract/service-spec.ts';
import { probeFile } from './probe-file.ts';
import { serviceFiles, serviceUnit, unitText } from './service-files.ts';

it('a unit runs its command in its folder, restarts it, and gives up after 5 starts in 2 minutes', () => {
  const text = unitText({ name: 'web', command: 'echo "$PORT" 100%', cwd: 'apps/web' });
  const lines = text.split('\n');
  for (const line of [
    'ExecStart=/bin/bash -lc "echo \\"$$PORT\\" 100%%"',
    'WorkingDirectory=/home/dev/workspace/apps/web',
    'User=dev',
    'Restart=always',
    'RestartSec=1',
    'StartLimitBurst=5',
    'StartLimitIntervalSec=120',
    'KillMode=control-group',
    'TimeoutStopSec=10',
  ])
    assert.ok(lines.includes(line), `${line} in\n${text}`);
  assert.doesNotMatch(text, /\[Install\]/);
});

it("a service's own environment wins, and only dev reads it", () => {
  const spec = serviceSpec.parse({ name: 'api', command: 'x', env: { A: 'own', B: 2 } });
  const files = serviceFiles(spec, { A: 'common', C: 'c' }, { backoff: 'BACKOFF' });
  const env = files.find(({ path }) => path.endsWith('.env'));
  assert.deepEqual(env, {
    path: '/run/nexus/services/api.env',
    content: 'A="own"\nB="2"\nC="c"\n',
    mode: 0o640,
    owner: 'dev',
  });
  assert.equal(files.at(-1)?.path, `/run/systemd/system/${serviceUnit('api')}`);
});

const probes: readonly { check: unknown; port?: number; fields: readonly string[] }[] = [
  { check: undefined, fields: [] },
  { check: { type: 'tcp' }, port: 4000, fields: ['tcp', '4000', '', '', '5000', '3', '5'] },
  { check: { type: 'tcp', port: 1 }, port: 4000, fields: ['tcp', '1', '', '', '5000', '3', '5'] },
  { check: { type: 'tcp' }, fields: ['tcp', '0', '', '', '5000', '3', '5'] },
  {
    check: { type: 'http', path: '/up', interval: '500ms', timeout: 10, retries: 1 },
    port: 80,
    fields: ['http', '80', '/up', '', '500', '10', '1'],
  },
  { check: { type: 'http' }, fields: ['http', '80', '/', '', '5000', '3', '5'] },
  { check: { type: 'http', port: 9 }, fields: ['http', '9', '/', '', '5000', '3', '5'] },
  {
    check: { type: 'exec', command: 'pg_isready' },
    fields: ['command', '0', '/home/dev/workspace/sub', 'pg_isready', '5000', '3', '5'],
  },
  {
    check: { type: 'custom', command: 'a\nb' },
    fields: ['command', '0', '/home/dev/workspace/sub', 'a\nb', '5000', '3', '5'],
  },
];
for (const { check, port, fields } of probes) {
  it(`a probe for ${JSON.stringify(check)}`, () => {
    const health_check = check === undefined ? undefined : healthCheck.parse(check);
    assert.deepEqual(probeFile({ health_check, port, cwd: 'sub' }).split('\u001e').slice(0, -1), fields);
  });
}
