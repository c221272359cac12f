import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { test } from 'node:test';
import { Kysely, sql } from 'kysely';
import type { WorkspaceEvent } from '../../contract/workspace.ts';
import { appendEvent, eventsAfter, lastEventId, pruneEvents } from './events.ts';
import { findAnswer, keepAnswer, pruneAnswers } from './idempotency.ts';
import { insertJoinToken, useJoinToken } from './join-tokens.ts';
import { migrate, migrations } from './migrate.ts';
import { deleteNode, findNode, insertNode, listNodes, updateNode } from './nodes.ts';
import { endOperation, insertOperation, openOperations, pruneOperations } from './operations.ts';
import { countFreePorts, listPorts, releasePort, takePort } from './ports.ts';
import type { Database } from './schema.ts';
import { findService, listServices, listServicesOf, replaceServices, updateService } from './services.ts';
import { findSetting, putSetting } from './settings.ts';
import { openSqlite } from './sqlite-dialect.ts';
import { openStore } from './store.ts';
import type { Store, Tx } from './store.ts';
import { findUser, findUserByGithubId, findUserByName, insertUser, setUserKey } from './users.ts';
import * as workspaces from './workspaces.ts';

const start = Date.parse('2026-01-17T10:00:00.000Z');
const atStart = '2026-01-17T10:00:00.000Z';

function testStore(file = ':memory:'): Promise<Store> {
  return openStore(file, { now: () => new Date(start) });
}

function temporaryFolder(): Disposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'nexus-store-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true }) };
}

async function addUser(tx: Tx, name = 'alice', githubId = 1): Promise<void> {
  await insertUser(tx, {
    id: `user-${name}`,
    github_username: name,
    github_id: githubId,
    ssh_pubkey: null,
    ssh_pubkey_fingerprint: null,
  });
}

async function addWorkspace(
  tx: Tx,
  id = 'ws-aaaaaaaaaaaa',
  patch: Partial<workspaces.NewWorkspace> = {},
): Promise<void> {
  const row = {
    id,
    owner_id: 'user-alice',
    name: id,
    want: 'running',
    status: 'pending',
    provider: 'lxc',
    image: 'debian:12',
    request_json: '{}',
  } as const;
  await workspaces.insertWorkspace(tx, { ...row, ...patch });
}

test('users are found by id, name and GitHub id, and their key is replaced', async () => {
  await using store = await testStore();
  await store.transaction(async (tx) => {
    await addUser(tx);
    await setUserKey(tx, 'user-alice', { pubkey: 'ssh-ed25519 A', fingerprint: 'SHA256:x' });
  });
  const expected = {
    id: 'user-alice',
    github_username: 'alice',
    github_id: 1,
    ssh_pubkey: 'ssh-ed25519 A',
    ssh_pubkey_fingerprint: 'SHA256:x',
    registered_at: atStart,
  };
  for (const found of [
    await findUser(store.db, 'user-alice'),
    await findUserByName(store.db, 'alice'),
    await findUserByGithubId(store.db, 1),
  ])
    assert.deepEqual({ ...found }, expected);
  assert.equal(await findUser(store.db, 'user-bob'), undefined);
});

test('a transaction that fails leaves nothing, and announces nothing', async () => {
  await using store = await testStore();
  const heard: WorkspaceEvent[] = [];
  store.onEvent((event) => heard.push(event));
  const failing = store.transaction(async (tx) => {
    await addUser(tx);
    await appendEvent(tx, { workspace_id: 'ws-aaaaaaaaaaaa', type: 'status', data: { status: 'pending' } });
    throw new Error('no');
  });
  await assert.rejects(failing, /^Error: no$/);
  assert.equal(await findUserByName(store.db, 'alice'), undefined);
  assert.deepEqual(heard, []);
});

test('transactions run one after the other, and reads wait for them', async () => {
  await using store = await testStore();
  const order: string[] = [];
  const { promise: released, resolve: release } = Promise.withResolvers<void>();
  const first = store.transaction(async (tx) => {
    await addUser(tx);
    order.push('first begins');
    await released;
    order.push('first ends');
  });
  const second = store.transaction(async (tx) => {
    assert.ok(await findUserByName(tx, 'alice'));
    order.push('second');
  });
  release();
  await Promise.all([first, second]);
  assert.deepEqual(order, ['first begins', 'first ends', 'second']);
});

test('inside a transaction the store itself refuses instead of waiting for itself', async () => {
  await using store = await testStore();
  await assert.rejects(
    store.transaction(async () => findSetting(store.db, 'x')),
    /use its tx/,
  );
  await assert.rejects(
    store.transaction(async () => store.transaction(async () => undefined)),
    /use its tx/,
  );
  // What a transaction set going, and goes on after it, may use the store.
  const { promise: committed, resolve: commit } = Promise.withResolvers<void>();
  let later: Promise<string | undefined> = Promise.resolve('nothing');
  await store.transaction(async () => {
    later = committed.then(() => findSetting(store.db, 'x'));
  });
  commit();
  assert.equal(await later, undefined);
});

test('ports: lowest free, the same for the same wish, back after release and with the workspace, none when empty', async () => {
  await using store = await testStore();
  const range = { first: 2222, last: 2224 };
  await store.transaction(async (tx) => {
    await addUser(tx);
    for (const id of ['ws-a', 'ws-b', 'ws-c', 'ws-d']) await addWorkspace(tx, id);
  });
  const take = (workspaceId: string, except?: ReadonlySet<number>): Promise<number | null> =>
    store.transaction((tx) =>
      takePort(tx, { pool: 'ssh', range, workspaceId, service: null, targetPort: 22, ...(except ? { except } : {}) }),
    );
  assert.deepEqual(await Promise.all(['ws-a', 'ws-b', 'ws-a'].map((id) => take(id))), [2222, 2223, 2222]);
  assert.equal(await countFreePorts(store.db, range), 1);
  assert.equal(await take('ws-c', new Set([2224])), null);
  assert.equal(await take('ws-c'), 2224);
  assert.equal(await take('ws-d'), null);
  await store.transaction((tx) => releasePort(tx, 2223));
  assert.equal(await take('ws-d'), 2223);
  await store.transaction((tx) => workspaces.deleteWorkspace(tx, 'ws-a'));
  assert.deepEqual(
    (await listPorts(store.db)).map(({ port }) => port),
    [2223, 2224],
  );
  assert.deepEqual(
    (await listPorts(store.db, 'ws-d')).map(({ port }) => port),
    [2223],
  );
  await store.transaction(async (tx) => {
    const service = {
      pool: 'services',
      range: { first: 23_000, last: 23_001 },
      workspaceId: 'ws-d',
      service: 'web',
    } as const;
    assert.equal(await takePort(tx, { ...service, targetPort: 3000 }), 23_000);
    assert.equal(await takePort(tx, { ...service, targetPort: 3001 }), 23_001);
    assert.equal(await takePort(tx, { ...service, targetPort: 3000 }), 23_000);
  });
});

test('workspaces: listing, counting, finding and wishes', async () => {
  await using store = await testStore();
  await store.transaction(async (tx) => {
    await addUser(tx);
    await addUser(tx, 'bob', 2);
    await addWorkspace(tx, 'ws-a', { node: 'node-1' });
    await addWorkspace(tx, 'ws-b', { status: 'running', node: 'node-1' });
    await addWorkspace(tx, 'ws-c', { owner_id: 'user-bob' });
    await replaceServices(tx, 'ws-a', [{ name: 'web', command: 'run', env: {}, depends_on: [] }]);
  });
  const list = async (filter: workspaces.WorkspaceFilter, limit = 10, offset = 0) => {
    const { rows, total } = await workspaces.listWorkspaces(store.db, { ...filter, limit, offset });
    return { ids: rows.map(({ id }) => id), total };
  };
  assert.deepEqual(await list({}), { ids: ['ws-a', 'ws-b', 'ws-c'], total: 3 });
  assert.deepEqual(await list({}, 1, 1), { ids: ['ws-b'], total: 3 });
  assert.deepEqual(await list({ ownerId: 'user-alice', status: 'running' }), { ids: ['ws-b'], total: 1 });
  const [first] = (await workspaces.listWorkspaces(store.db, { limit: 1, offset: 0 })).rows;
  assert.deepEqual([first?.owner, first?.services_count], ['alice', 1]);
  assert.deepEqual(await workspaces.countByStatus(store.db), { pending: 2, running: 1 });
  assert.deepEqual(await workspaces.countByNode(store.db), { 'node-1': 2 });
  assert.equal(await workspaces.countWorkspacesOf(store.db, 'user-alice'), 2);
  assert.deepEqual(
    (await workspaces.allWorkspaces(store.db)).map(({ id }) => id),
    ['ws-a', 'ws-b', 'ws-c'],
  );
  assert.deepEqual(
    (await workspaces.workspacesOnNode(store.db, 'node-1')).map(({ id }) => id),
    ['ws-a', 'ws-b'],
  );
  assert.deepEqual(
    (await workspaces.workspacesOf(store.db, 'user-bob')).map(({ id }) => id),
    ['ws-c'],
  );
  assert.equal((await workspaces.findWorkspaceByName(store.db, 'user-bob', 'ws-c'))?.id, 'ws-c');
  await store.transaction(async (tx) => {
    await workspaces.updateWorkspace(tx, 'ws-a', { status: 'error', error_json: '{}' });
    await workspaces.setWant(tx, 'ws-a', 'stopped', { force: true });
  });
  const asked = await workspaces.findWorkspace(store.db, 'ws-a');
  assert.deepEqual(
    [asked?.want, asked?.force, asked?.generation, asked?.error_json, asked?.status],
    ['stopped', 1, 2, null, 'stopping'],
  );
});

test('services: replaced by what the repository names now, in its order', async () => {
  await using store = await testStore();
  const spec = { command: 'run', env: {}, depends_on: [] };
  await store.transaction(async (tx) => {
    await addUser(tx);
    await addWorkspace(tx, 'ws-a');
    await replaceServices(tx, 'ws-a', [
      { ...spec, name: 'web' },
      { ...spec, name: 'old' },
    ]);
    await updateService(tx, 'ws-a', 'web', { status: 'running' });
    await replaceServices(tx, 'ws-a', [
      { ...spec, name: 'db' },
      { ...spec, name: 'web', port: 3000 },
    ]);
  });
  const rows = await listServices(store.db, 'ws-a');
  assert.deepEqual(
    rows.map(({ name, status, position }) => [name, status, position]),
    [
      ['db', 'pending', 0],
      ['web', 'running', 1],
    ],
  );
  assert.equal(JSON.parse(rows[1]?.spec_json ?? '').port, 3000);
  assert.equal((await findService(store.db, 'ws-a', 'db'))?.want, 'running');
  assert.deepEqual(
    (await listServicesOf(store.db, 'user-alice')).map(({ name, workspace_name }) => [name, workspace_name]),
    [
      ['db', 'ws-a'],
      ['web', 'ws-a'],
    ],
  );
  await store.transaction((tx) => replaceServices(tx, 'ws-a', []));
  assert.deepEqual(await listServices(store.db, 'ws-a'), []);
});

test('events are heard after the commit, read in order, and pruned', async () => {
  await using store = await testStore();
  const heard: number[] = [];
  const stop = store.onEvent(({ id }) => heard.push(id));
  const append = (workspace_id: string): Promise<WorkspaceEvent> =>
    store.transaction((tx) => appendEvent(tx, { workspace_id, type: 'step', data: { step: 'cloning' } }));
  await append('ws-a');
  await append('ws-b');
  await append('ws-a');
  stop();
  await append('ws-a');
  assert.deepEqual(heard, [1, 2, 3]);
  const events = await eventsAfter(store.db, { workspaceId: 'ws-a', after: 1, limit: 1 });
  assert.deepEqual(events, [{ id: 3, workspace_id: 'ws-a', type: 'step', at: atStart, data: { step: 'cloning' } }]);
  assert.equal(await lastEventId(store.db, 'ws-a'), 4);
  assert.equal(await lastEventId(store.db, 'ws-none'), 0);
  await store.transaction((tx) => pruneEvents(tx, '2026-01-17T10:00:00.001Z'));
  assert.equal(await lastEventId(store.db, 'ws-a'), 0);
});

test('nodes and their one-time tokens', async () => {
  await using store = await testStore();
  const token = { role: 'agent', name: 'node-1', expires_at: '2026-01-17T11:00:00.000Z' } as const;
  await store.transaction(async (tx) => {
    await insertJoinToken(tx, { ...token, token_hash: 'replaced' });
    await insertJoinToken(tx, { ...token, token_hash: 'good' });
    await insertJoinToken(tx, { ...token, name: 'node-2', token_hash: 'old', expires_at: atStart });
  });
  const use = async (hash: string): Promise<string | undefined> =>
    (await store.transaction((tx) => useJoinToken(tx, hash)))?.name;
  assert.deepEqual(
    [await use('good'), await use('good'), await use('replaced'), await use('old')],
    ['node-1', undefined, undefined, undefined],
  );
  await store.transaction(async (tx) => {
    await insertNode(tx, {
      name: 'node-1',
      role: 'agent',
      public_key: 'p',
      version: null,
      machine: null,
    });
    await updateNode(tx, 'node-1', { draining: 1 });
  });
  assert.deepEqual(
    (await listNodes(store.db, 'agent')).map(({ name, draining }) => [name, draining]),
    [['node-1', 1]],
  );
  assert.deepEqual(await listNodes(store.db, 'gateway'), []);
  await store.transaction((tx) => deleteNode(tx, 'node-1'));
  assert.equal(await findNode(store.db, 'node-1'), undefined);
});

test('operations are open until they are ended, then pruned', async () => {
  await using store = await testStore();
  const ids = await store.transaction(async (tx) => {
    await addUser(tx);
    await addWorkspace(tx, 'ws-a');
    const operation = {
      workspaceId: 'ws-a',
      node: 'node-1',
      command: { do: 'observe', workspace_id: 'ws-a' },
      generation: 1,
    } as const;
    return [(await insertOperation(tx, operation)).id, (await insertOperation(tx, operation)).id];
  });
  await store.transaction(async (tx) => {
    await endOperation(tx, ids[0] ?? '', null);
    await endOperation(tx, ids[1] ?? '', { error: 'internal', message: '', details: {}, hint: null });
  });
  assert.deepEqual(await openOperations(store.db), []);
  assert.deepEqual(await openOperations(store.db, 'ws-a'), []);
  await store.transaction((tx) => pruneOperations(tx, '2027'));
  assert.equal((await store.db.selectFrom('operations').selectAll().execute()).length, 0);
});

test('first answers are kept under their key', async () => {
  await using store = await testStore();
  const answer = { user_id: 'u', key: 'k', request_hash: 'h', status: 202, response_json: '{}' };
  await store.transaction((tx) => keepAnswer(tx, answer));
  await store.transaction((tx) => keepAnswer(tx, { ...answer, status: 503 }));
  assert.equal((await findAnswer(store.db, { userId: 'u', key: 'k', since: atStart }))?.status, 503);
  assert.equal(await findAnswer(store.db, { userId: 'u', key: 'k', since: '2026-01-17T10:00:01.000Z' }), undefined);
  await store.transaction((tx) => pruneAnswers(tx, '2027'));
  assert.equal(await findAnswer(store.db, { userId: 'u', key: 'k', since: atStart }), undefined);
});

test('settings are kept over closing; the file is for its owner only', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'nexus.db');
  {
    await using store = await testStore(file);
    assert.equal(store.schemaVersion, migrations.at(-1)?.name);
    await store.transaction((tx) => putSetting(tx, 'cluster_id', 'one'));
    await store.transaction((tx) => putSetting(tx, 'cluster_id', 'two'));
  }
  assert.equal(statSync(file).mode & 0o777, 0o600);
  await using store = await testStore(file);
  assert.equal(await findSetting(store.db, 'cluster_id'), 'two');
  assert.equal(store.file, file);
});

test('a database of a newer version is refused, and closed', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'nexus.db');
  {
    await using store = await testStore(file);
    await store.transaction((tx) => putSetting(tx, 'schema_version', '999-future'));
  }
  await assert.rejects(testStore(file), {
    code: 'config_invalid',
    message: /999-future, which only a newer version of nexus knows/,
  });
});

test('an older database is migrated after a copy was put beside it', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'nexus.db');
  const older = {
    name: '000-older',
    up: (db: Kysely<unknown>) =>
      db.schema
        .createTable('settings')
        .addColumn('name', 'text', (c) => c.primaryKey())
        .addColumn('value', 'text')
        .execute(),
  };
  const newer = {
    name: '001-newer',
    up: (db: Kysely<unknown>) => db.schema.createTable('added').addColumn('x', 'text').execute(),
  };
  const failing = {
    name: '002-failing',
    up: async (db: Kysely<unknown>) => {
      await db.schema.createTable('half').addColumn('x', 'text').execute();
      throw new Error('power cut');
    },
  };
  const db = new Kysely<Database>({ dialect: openSqlite(file) });
  assert.equal(await migrate(db, file, [older]), '000-older');
  assert.equal(await migrate(db, file, [older, newer]), '001-newer');
  await assert.rejects(migrate(db, file, [older, newer, failing]), /power cut/);
  assert.equal(await migrate(db, file, [older, newer]), '001-newer');
  const tables = async (of: string): Promise<string[]> => {
    const copy = new DatabaseSync(of, { readOnly: true });
    const names = copy
      .prepare('select name from sqlite_master order by name')
      .all()
      .map(({ name }) => String(name));
    copy.close();
    return names.filter((name) => !name.startsWith('sqlite_'));
  };
  await db.destroy();
  assert.deepEqual(await tables(file), ['added', 'settings']);
  assert.equal(statSync(`${file}.backup-000-older`).mode & 0o777, 0o600);
  assert.deepEqual(await tables(`${file}.backup-000-older`), ['settings']);
  assert.deepEqual(await tables(`${file}.backup-001-newer`), ['added', 'settings']);
  assert.equal(await migrate(new Kysely<Database>({ dialect: openSqlite(':memory:') }), ':memory:', []), 'none');
});

test('a database of before keys of streams were derived keeps its nodes, and no key', async () => {
  using folder = temporaryFolder();
  const file = join(folder.path, 'nexus.db');
  const before = migrations.slice(
    0,
    migrations.findIndex(({ name }) => name === '005-stream-keys-are-derived'),
  );
  const db = new Kysely<Database>({ dialect: openSqlite(file) });
  await migrate(db, file, before);
  await putSetting(db, 'server_stream_key', 'secret-of-server');
  await sql`insert into nodes (name, role, public_key, stream_key, providers_json, draining, joined_at)
    values ('node-1', 'agent', 'p', 'secret-of-node', '[]', 0, 'then')`.execute(db);
  await db.destroy();
  await using store = await testStore(file);
  assert.equal((await listNodes(store.db, 'agent'))[0]?.public_key, 'p');
  assert.equal(await findSetting(store.db, 'server_stream_key'), undefined);
});

test('a full disk is called so, and other failures are themselves', async () => {
  await using store = await testStore();
  await store.transaction(async (tx) => {
    await addUser(tx);
    await assert.rejects(addUser(tx), /UNIQUE/);
  });
  const db = new Kysely<Database>({ dialect: openSqlite(':memory:') });
  await db.schema.createTable('settings').addColumn('name', 'text').addColumn('value', 'text').execute();
  const { sql } = await import('kysely');
  await sql`pragma max_page_count = 3`.execute(db);
  await assert.rejects(putLarge(db), { code: 'disk_full' });
});

function putLarge(db: Kysely<Database>): Promise<unknown> {
  return db
    .insertInto('settings')
    .values({ name: 'x', value: 'x'.repeat(100_000) })
    .execute();
}

test('rows can be streamed, and the cache of statements stays bounded', async () => {
  await using store = await testStore();
  for (let count = 1; count <= 600; count++)
    await store.db
      .selectFrom('settings')
      .selectAll()
      .limit(count)
      .where('name', 'in', Array.from({ length: count }, String))
      .execute();
  const names: string[] = [];
  for await (const { name } of store.db.selectFrom('settings').select('name').stream()) names.push(name);
  assert.deepEqual(names, ['schema_version']);
});
