import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NexusError } from '../../contract/errors.ts';
import type { ProviderHealth } from '../../contract/node.ts';
import { openStore } from '../store/store.ts';
import { insertUser } from '../store/users.ts';
import { findWorkspace, insertWorkspace } from '../store/workspaces.ts';
import { createEngineReturns } from './engine-returns.ts';

const engineAway = new NexusError('provider_unavailable', { provider: 'lxc', reason: 'away' }).toBody();
const hookFailed = new NexusError('hook_failed', { hook: 'up', exit_code: 1, output: [] }).toBody();

function lxc(ok: boolean): ProviderHealth[] {
  return [
    { name: 'lxc', ok, engine: null, version: null, disk_total_bytes: null, disk_free_bytes: null, reason: null },
  ];
}

test('what failed with an engine is wanted again when that engine is back, once', async () => {
  await using store = await openStore(':memory:', { now: () => new Date() });
  const rows = [
    { id: 'ws-here', node: 'node-1', want: 'running', error: engineAway },
    { id: 'ws-gone', node: 'node-1', want: 'deleted', error: engineAway },
    { id: 'ws-unplaced', node: null, want: 'running', error: engineAway },
    { id: 'ws-hook', node: 'node-1', want: 'running', error: hookFailed },
    { id: 'ws-silent', node: 'node-1', want: 'running', error: null },
    { id: 'ws-there', node: 'node-2', want: 'running', error: engineAway },
  ] as const;
  await store.transaction(async (tx) => {
    const key = { ssh_pubkey: null, ssh_pubkey_fingerprint: null };
    await insertUser(tx, { id: 'user-a', github_username: 'a', github_id: 1, ...key });
    for (const { id, node, want, error } of rows) {
      const wish = { owner_id: 'user-a', name: id, provider: 'lxc', image: 'i', request_json: '{}' };
      const error_json = error && JSON.stringify(error);
      await insertWorkspace(tx, { id, node, want, status: 'error', error_json, ...wish });
    }
  });
  const returns = createEngineReturns(store);
  assert.deepEqual(await returns.heard('node-1', lxc(false)), []);
  assert.deepEqual((await returns.heard('node-1', lxc(true))).toSorted(), ['ws-gone', 'ws-here', 'ws-unplaced']);
  const gone = await findWorkspace(store.db, 'ws-gone');
  assert.deepEqual([gone?.want, gone?.status, gone?.generation, gone?.error_json], ['deleted', 'deleting', 2, null]);
  assert.deepEqual(await returns.heard('node-1', lxc(true)), [], 'it was there all the time');
  assert.deepEqual(await returns.heard('node-2', lxc(true)), ['ws-there'], 'after a start of the server too');
});
