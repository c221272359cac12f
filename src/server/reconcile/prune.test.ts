import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStore, type Store } from '../store/store.ts';
import { insertUser } from '../store/users.ts';
import { insertWorkspace } from '../store/workspaces.ts';
import { pruneHistory } from './prune.ts';

const now = new Date('2026-02-01T00:00:00.000Z');
const lately = '2026-01-31T00:00:00.000Z';
const justNow = '2026-01-31T23:55:00.000Z';
const longAgo = '2026-01-01T00:00:00.000Z';

async function createStore(): Promise<Store> {
  const store = await openStore(':memory:', { now: () => now });
  await store.transaction(async (tx) => {
    await insertUser(tx, {
      id: 'user-a',
      github_username: 'a',
      github_id: 1,
      ssh_pubkey: null,
      ssh_pubkey_fingerprint: null,
    });
    await insertWorkspace(tx, {
      id: 'ws-a',
      owner_id: 'user-a',
      name: 'a',
      want: 'running',
      generation: 2,
      status: 'running',
      provider: 'lxc',
      image: 'i',
      request_json: '{}',
    });
  });
  return store;
}

test('the newest 1000 events of a workspace stay, those of a deleted one for ten minutes', async () => {
  await using store = await createStore();
  const event = (workspace_id: string, at: string) => ({ workspace_id, at, type: 'step', data_json: '{}' });
  await store.transaction(async (tx) => {
    for (let at = 0; at < 11; at++) {
      await tx
        .insertInto('events')
        .values(Array.from({ length: 100 }, () => event('ws-a', longAgo)))
        .execute();
    }
    await tx
      .insertInto('events')
      .values([event('ws-gone', lately), event('ws-gone', justNow)])
      .execute();
    await pruneHistory(tx, now);
  });
  const kept = await store.db.selectFrom('events').selectAll().orderBy('id').execute();
  assert.deepEqual([kept[0]?.id, kept.length], [101, 1001]);
  assert.deepEqual(
    kept.filter(({ workspace_id }) => workspace_id === 'ws-gone').map(({ at }) => at),
    [justNow],
  );
});

test('operations of older generations go, and of the running one the old starts and stops of services', async () => {
  await using store = await createStore();
  const operation = (id: string, what: string, generation: number, ended_at: string | null) => ({
    id,
    generation,
    ended_at,
    workspace_id: 'ws-a',
    node: 'n',
    started_at: longAgo,
    command_json: JSON.stringify({ do: what }),
  });
  await store.transaction(async (tx) => {
    const rows = [
      operation('open', 'clone', 1, null),
      operation('older', 'clone', 1, longAgo),
      operation('older, lately', 'clone', 1, lately),
      operation('config', 'read_config', 2, longAgo),
      operation('start', 'start_service', 2, longAgo),
      operation('stop', 'stop_service', 2, longAgo),
      operation('start, lately', 'start_service', 2, lately),
    ];
    await tx.insertInto('operations').values(rows).execute();
    await pruneHistory(tx, now);
  });
  const kept = await store.db.selectFrom('operations').select('id').execute();
  assert.deepEqual(kept.map(({ id }) => id).sort(), ['config', 'older, lately', 'open', 'start, lately']);
});
