import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { silentLog } from '../../test/support/silent-log.ts';
import { emptyTable, loadGatewayState, loadRoutes, saveGatewayState, saveRoutes } from './state-files.ts';

test('what is stored comes back; what is absent or broken is as good as new, and said', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-gateway-'));
  const errors: string[] = [];
  const log = { ...silentLog, error: (_details: unknown, message?: string) => void errors.push(String(message)) };
  try {
    assert.equal(await loadGatewayState(folder, log), null);
    assert.equal(await loadRoutes(folder, log), emptyTable);
    assert.deepEqual(errors, []);

    const table = {
      version: 3,
      routes: [
        {
          kind: 'ssh',
          listen: 2222,
          workspace_id: 'ws-abcdefghijkl',
          node: 'n',
          port: 22,
          address: null,
          machine: null,
        } as const,
      ],
      stream_keys: { server: 'AAAA' },
    };
    await saveRoutes(folder, table);
    await saveGatewayState(folder, { pid: 7, stream_port: 4000 });
    assert.deepEqual(await loadRoutes(folder, log), table);
    assert.deepEqual(await loadGatewayState(folder, log), { pid: 7, stream_port: 4000 });
    for (const name of ['routes.json', 'gateway.json'])
      assert.equal((await stat(join(folder, name))).mode & 0o777, 0o600);

    for (const broken of ['{"version":', '{"version":"one"}', '']) {
      await writeFile(join(folder, 'routes.json'), broken);
      assert.equal(await loadRoutes(folder, log), emptyTable);
    }
    assert.deepEqual(
      errors,
      Array.from({ length: 3 }, () => 'the file is broken and left aside'),
    );
    await rm(join(folder, 'gateway.json'));
    await mkdir(join(folder, 'gateway.json'));
    assert.equal(await loadGatewayState(folder, log), null);
    assert.equal(errors.at(-1), 'the file cannot be read');
  } finally {
    await rm(folder, { recursive: true });
  }
});
