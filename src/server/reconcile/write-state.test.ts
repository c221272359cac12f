import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NexusError } from '../../contract/errors.ts';
import { serviceSpec } from '../../contract/service-spec.ts';
import { listServices, replaceServices } from '../store/services.ts';
import { openStore } from '../store/store.ts';
import { insertUser } from '../store/users.ts';
import { findWorkspace, insertWorkspace } from '../store/workspaces.ts';
import { writeConclusion } from './write-state.ts';

test('the next step of an error has the name of its workspace', async () => {
  await using store = await openStore(':memory:', { now: () => new Date('2026-02-01T00:00:00Z') });
  const user = { id: 'user-a', github_username: 'a', github_id: 1, ssh_pubkey: null, ssh_pubkey_fingerprint: null };
  const workspace = {
    id: 'ws-a',
    owner_id: user.id,
    name: 'shop',
    want: 'running' as const,
    generation: 1,
    status: 'creating',
    provider: 'lxc',
    image: 'debian:12',
    request_json: '{}',
  };
  await store.transaction(async (tx) => {
    await insertUser(tx, user);
    await insertWorkspace(tx, workspace);
    await replaceServices(tx, 'ws-a', [serviceSpec.parse({ name: 'web', command: 'npm start', port: 3000 })]);
    const error = new NexusError('service_start_failed', { service: 'web', reason: 'it died' }).toBody();
    const cloneError = new NexusError('clone_failed', { url: '', reason: 'it is broken' }).toBody();
    const services = [{ name: 'web', status: 'error' as const, health: 'unhealthy' as const, lastCheck: null, error }];
    await writeConclusion(
      tx,
      'ws-a',
      { generation: 1, status: 'error', step: null, error: cloneError, warnings: [], services },
      { publicHost: 'localhost' },
    );
  });
  const [service] = await listServices(store.db, 'ws-a');
  const hintOf = (json: string | null | undefined): string => (JSON.parse(json ?? '') as { hint: string }).hint;
  assert.equal(hintOf(service?.error_json), 'nexus workspace logs shop --service web');
  assert.equal(hintOf((await findWorkspace(store.db, 'ws-a'))?.error_json), 'nexus workspace logs shop');
});
