import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NexusError } from '../../src/contract/errors.ts';
import type { CreateWorkspaceInput, WorkspaceView } from '../../src/contract/workspace.ts';
import { updateNode } from '../../src/server/store/nodes.ts';
import { deleteWorkspace, updateWorkspace } from '../../src/server/store/workspaces.ts';
import { createApiWorld } from '../support/api-world.ts';
import type { ApiWorld } from '../support/api-world.ts';

const request: CreateWorkspaceInput = { workspace_name: 'my-project', repo: { owner: 'my-org', name: 'my-project' } };

async function createRunning(world: ApiWorld, body: CreateWorkspaceInput = request, user = 'alice'): Promise<string> {
  const { workspace_id } = await world.client(user).call('createWorkspace', { body });
  await world.settle(workspace_id);
  return workspace_id;
}

const web = { name: 'web', command: 'npm run dev', port: 3000, depends_on: ['api'] };
const api = { name: 'api', command: 'npm run server', port: 4000 };

test('a new workspace gets defaults, an SSH port and its services', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const body = { ...request, services: [web, api], packages: ['postgresql'] };
  const created = await client.call('createWorkspace', { body });
  const { workspace_id } = created;
  assert.deepEqual(created, {
    workspace_id,
    status: 'pending',
    ssh_port: 2222,
    polling_url: `/api/v1/workspaces/${workspace_id}/status`,
    estimated_time_seconds: 30,
    created_at: '2026-01-17T10:00:00.000Z',
  });
  assert.deepEqual(world.asked, [`nudge ${workspace_id}`]);
  const service = { status: 'pending', mapped_port: null, health: 'unknown', url: null, last_check: null, error: null };
  const expected: WorkspaceView = {
    workspace_id,
    owner: 'alice',
    name: 'my-project',
    status: 'pending',
    provider: 'lxc',
    image: 'debian:12',
    ssh: { host: 'localhost', port: 2222, user: 'dev', key_required: '~/.ssh/id_ed25519', host_key: null },
    services: {
      web: { name: 'web', port: 3000, command: 'npm run dev', ...service } as WorkspaceView['services'][string],
      api: { name: 'api', port: 4000, command: 'npm run server', ...service } as WorkspaceView['services'][string],
    },
    repository: {
      owner: 'my-org',
      name: 'my-project',
      branch: null,
      commit: null,
      url: 'https://github.com/my-org/my-project.git',
      is_fork: false,
    },
    node: null,
    step: null,
    error: null,
    warnings: [],
    created_at: '2026-01-17T10:00:00.000Z',
    updated_at: '2026-01-17T10:00:00.000Z',
  };
  assert.deepEqual(await client.call('getWorkspace', { params: { id: workspace_id } }), expected);
});

test('what is asked for wins over the defaults', async () => {
  await using world = await createApiWorld({
    env: { NEXUS_PUBLIC_HOST: 'nexus.example', NEXUS_DEFAULTS_IMAGE: 'debian:13' },
  });
  const client = world.client();
  const repo = { ...request.repo, url: 'https://alice@git.example/x.git', branch: 'main', is_fork: true };
  const id = await createRunning(world, {
    ...request,
    repo,
    provider: 'docker',
    image: 'node:20',
    github_username: 'Alice',
  });
  const view = await client.call('getWorkspace', { params: { id } });
  assert.deepEqual([view.provider, view.image, view.ssh.host], ['docker', 'node:20', 'nexus.example']);
  const repository = {
    owner: 'my-org',
    name: 'my-project',
    branch: 'main',
    commit: null,
    url: 'https://alice@git.example/x.git',
    is_fork: true,
  };
  assert.deepEqual(view.repository, repository);
  const other = await createRunning(world, { ...request, workspace_name: 'other' });
  assert.equal((await client.call('getWorkspace', { params: { id: other } })).image, 'debian:13');
});

test('every path of creation and of the view answers', async () => {
  await using world = await createApiWorld();
  const post = (path: string, name: string): Promise<Response> =>
    fetch(`${world.baseUrl}/api/v1${path}`, {
      method: 'POST',
      headers: { authorization: 'Bearer token-alice', 'content-type': 'application/json' },
      body: JSON.stringify({ ...request, workspace_name: name }),
    });
  for (const [path, name] of [
    ['/workspaces', 'a'],
    ['/workspaces/create', 'b'],
    ['/workspaces/create-from-repo', 'c'],
  ] as const)
    assert.equal((await post(path, name)).status, 202);
  const { workspaces } = await world.client().call('listWorkspaces');
  const headers = { authorization: 'Bearer token-alice' };
  const status = await fetch(`${world.baseUrl}/api/v1/workspaces/${workspaces[0]?.workspace_id}/status`, { headers });
  assert.equal(((await status.json()) as WorkspaceView).name, workspaces[0]?.name);
});

test('an empty SSH pool is no limit on workspaces', async () => {
  await using world = await createApiWorld({ env: { NEXUS_PORTS_SSH: '2222-2222' } });
  const client = world.client();
  await createRunning(world);
  const second = await client.call('createWorkspace', { body: { ...request, workspace_name: 'second' } });
  assert.equal(second.ssh_port, null);
  const view = await client.call('getWorkspace', { params: { id: second.workspace_id } });
  assert.deepEqual(
    [view.ssh.port, view.warnings],
    [null, ['every SSH port was given out: reach it with nexus ssh second']],
  );
});

test('what no node could ever take is refused at once, and leaves nothing', async () => {
  await using world = await createApiWorld({ env: { NEXUS_NODE_EMBEDDED: 'false' } });
  const client = world.client();
  const refused = async (body: CreateWorkspaceInput, message: RegExp): Promise<void> => {
    await assert.rejects(client.call('createWorkspace', { body }), {
      code: 'no_available_nodes',
      status: 503,
      message,
    });
    assert.equal((await client.call('listWorkspaces')).total, 0);
  };
  const lxc = { name: 'lxc', ok: true, engine: 'lxd', version: '5', reason: null };
  const providers_json = JSON.stringify([{ ...lxc, disk_total_bytes: null, disk_free_bytes: null }]);
  await refused(request, /none has joined/);
  await world.addNode('node-2');
  await world.store.transaction((tx) => updateNode(tx, 'node-2', { providers_json }));
  await refused({ ...request, provider: 'docker' }, /node-2 has no docker, only lxc/);
  await client.call('drainNode', { params: { name: 'node-2' } });
  await refused(request, /node-2 takes no new ones \(draining\)/);
  const answer = await fetch(`${world.baseUrl}/api/v1/workspaces`, {
    method: 'POST',
    headers: { authorization: 'Bearer token-alice', 'content-type': 'application/json' },
    body: JSON.stringify(request),
  });
  assert.deepEqual([answer.status, answer.headers.get('retry-after')], [503, '5']);

  await client.call('resumeNode', { params: { name: 'node-2' } });
  world.peers.nodeConnected = () => false;
  await client.call('createWorkspace', { body: request });
});

test('names are unique per owner, and users have limits', async () => {
  await using world = await createApiWorld({ env: { NEXUS_LIMITS_WORKSPACES_PER_USER: '2' } });
  const id = await createRunning(world);
  const create = (name: string, user = 'alice'): Promise<unknown> =>
    world.client(user).call('createWorkspace', { body: { ...request, workspace_name: name } });
  const exists = {
    code: 'workspace_already_exists',
    details: { owner: 'alice', name: 'my-project', workspace_id: id, status: 'running' },
  };
  await assert.rejects(create('my-project'), exists);
  await create('my-project', 'bob');
  await create('second');
  const message = 'There is no room for the workspace: alice has 2 workspaces, the most that one user may have here.';
  await assert.rejects(create('third'), { code: 'insufficient_node_resources', message });
});

const badRequests: readonly [name: string, body: unknown, code: string, fields: readonly string[]][] = [
  ['nothing', undefined, 'invalid_request', ['body: is required']],
  ['no object', 'x', 'invalid_request', ['body: must be an object']],
  [
    'every field is named',
    { workspace_name: 'A', repo: { owner: 'o' }, zone: 1 },
    'invalid_request',
    [
      'workspace_name: must be 1 to 40 of a-z, 0-9 and -, with no - at either end',
      'repo.name: is required',
      'zone: is not known',
    ],
  ],
  [
    'an option as a URL',
    { ...request, repo: { ...request.repo, url: '--upload-pack=x' } },
    'invalid_request',
    ['repo.url: must be a git URL without spaces'],
  ],
  [
    'a URL with a password, a branch and a command that no process can be given',
    {
      ...request,
      repo: { ...request.repo, url: 'https://alice:secret@git.example/x', branch: 'a\0' },
      services: [{ ...api, command: 'a\0' }],
    },
    'invalid_request',
    [
      'repo.url: must not hold a password or a token, as it is stored and shown',
      'repo.branch: must be a branch, a tag or a commit',
      'services[0].command: must not hold a NUL',
    ],
  ],
  [
    'an unknown dependency',
    { ...request, services: [web, { ...api, name: 'apy' }] },
    'invalid_request',
    ['services[0].depends_on[0]: there is no service api; did you mean apy?'],
  ],
  [
    'a dependency like none',
    { ...request, services: [web] },
    'invalid_request',
    ['services[0].depends_on[0]: there is no service api'],
  ],
  [
    'a service twice',
    { ...request, services: [api, api] },
    'invalid_request',
    ['services[1].name: api is there twice'],
  ],
  ['a circle', { ...request, services: [web, { ...api, depends_on: ['web'] }] }, 'dependency_cycle', []],
  ['somebody else', { ...request, github_username: 'bob' }, 'forbidden', []],
];
for (const [name, body, code, fields] of badRequests) {
  test(`a bad request for a workspace is refused: ${name}`, async () => {
    await using world = await createApiWorld();
    const expected = (error: { code: string; details: { fields?: { path: string; problem: string }[] } }): boolean => {
      assert.equal(error.code, code);
      if (code === 'invalid_request')
        assert.deepEqual(
          error.details.fields?.map((f) => `${f.path}: ${f.problem}`),
          fields,
        );
      return true;
    };
    await assert.rejects(world.client().call('createWorkspace', { body: body as CreateWorkspaceInput }), expected);
    assert.deepEqual(world.asked, []);
  });
}

test('the same request under the same key is answered once, for a day', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const create = (key: string, name = 'my-project'): Promise<{ workspace_id: string }> =>
    client.call('createWorkspace', { body: { ...request, workspace_name: name }, headers: { 'idempotency-key': key } });
  const first = await create('k1');
  assert.deepEqual(await Promise.all([create('k1'), create('k1')]), [first, first]);
  await assert.rejects(create('k1', 'other'), {
    message: /Idempotency-Key: was used for another request within 24 hours/,
  });
  await assert.rejects(create('x'.repeat(256)), { message: /Idempotency-Key: must have 1 to 255 characters/ });
  await assert.rejects(create('k2'), { code: 'workspace_already_exists' });
  world.clock.now = new Date(world.clock.now.getTime() + 24 * 3600 * 1000 + 1);
  await assert.rejects(create('k1'), { code: 'workspace_already_exists' });
});

test('workspaces are listed by owner, status and page; others have none', async () => {
  await using world = await createApiWorld();
  await createRunning(world);
  world.clock.now = new Date(world.clock.now.getTime() + 1000);
  await world.client().call('createWorkspace', { body: { ...request, workspace_name: 'second', services: [api] } });
  await createRunning(world, request, 'bob');
  const list = async (user: string, query: object = {}): Promise<unknown> => {
    const { workspaces, ...rest } = await world.client(user).call('listWorkspaces', { query });
    return {
      names: workspaces.map((one) => `${one.owner}/${one.name} ${one.status} ${one.services_count}`).sort(),
      ...rest,
    };
  };
  const page = { limit: 50, offset: 0 };
  const alice = ['alice/my-project running 0', 'alice/second pending 1'];
  assert.deepEqual(await list('alice'), { names: [...alice, 'bob/my-project running 0'], total: 3, ...page });
  assert.deepEqual(await list('alice', { owner: 'alice' }), { names: alice, total: 2, ...page });
  assert.deepEqual(await list('alice', { owner: 'bob' }), { names: ['bob/my-project running 0'], total: 1, ...page });
  assert.deepEqual(await list('alice', { owner: 'nobody' }), { names: [], total: 0, ...page });
  assert.deepEqual(await list('alice', { status: 'pending' }), {
    names: ['alice/second pending 1'],
    total: 1,
    ...page,
  });
  assert.deepEqual(await list('alice', { owner: 'alice', limit: 1, offset: 1 }), {
    names: ['alice/my-project running 0'],
    total: 2,
    limit: 1,
    offset: 1,
  });
  assert.deepEqual(await list('bob'), { names: ['bob/my-project running 0'], total: 1, ...page });
  assert.deepEqual(await list('bob', { owner: 'alice' }), { names: [], total: 0, ...page });
  assert.deepEqual(await list('carol'), { names: [], total: 0, ...page });
  await assert.rejects(list('alice', { limit: 201, status: 'x', page: 2 }), {
    message: /status: must be pending or .*limit: must be at most 200.*page: is not known/,
  });
});

test("somebody else's workspace does not exist, and an administrator's eye sees all", async () => {
  await using world = await createApiWorld();
  const id = await createRunning(world);
  const bobs = await createRunning(world, request, 'bob');
  const bob = world.client('bob');
  const missing = { code: 'not_found', message: `There is no workspace ${id}.` };
  const params = { id };
  await assert.rejects(bob.call('getWorkspace', { params }), missing);
  await assert.rejects(bob.call('startWorkspace', { params }), missing);
  await assert.rejects(bob.call('stopWorkspace', { params }), missing);
  await assert.rejects(bob.call('deleteWorkspace', { params, query: { force: true } }), missing);
  await assert.rejects(bob.call('listWorkspaceServices', { params }), missing);
  await assert.rejects(bob.call('exec', { params, body: { command: ['true'] } }), missing);
  await assert.rejects(world.client('carol').call('getWorkspace', { params }), missing);
  assert.equal((await world.client('alice').call('getWorkspace', { params: { id: bobs } })).owner, 'bob');
  await assert.rejects(bob.call('getWorkspace', { params: { id: 'my-project' } }), {
    code: 'not_found',
    message: 'There is no workspace my-project.',
  });
});

test('stop waits until it is stopped, start does not wait, and neither is done twice', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await createRunning(world);
  const params = { id };
  await assert.rejects(client.call('startWorkspace', { params }), { code: 'workspace_already_running' });
  world.clock.now = new Date('2026-01-17T11:00:00.000Z');
  assert.deepEqual(await client.call('stopWorkspace', { params }), {
    workspace_id: id,
    status: 'stopped',
    stopped_at: '2026-01-17T11:00:00.000Z',
  });
  await assert.rejects(client.call('stopWorkspace', { params }), { code: 'workspace_already_stopped' });
  const started = await client.call('startWorkspace', { params });
  assert.deepEqual([started.status, started.ssh_port, started.estimated_time_seconds], ['creating', 2222, 5]);
  await assert.rejects(client.call('startWorkspace', { params }), { code: 'workspace_already_running' });
});

test('force is taken from the query or the body', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await createRunning(world);
  const forced = async (): Promise<number | undefined> =>
    (await world.store.db.selectFrom('workspaces').select('force').executeTakeFirst())?.force;
  world.reconciler.settled = async () => undefined;
  assert.equal((await client.call('stopWorkspace', { params: { id }, body: { force: true } })).status, 'stopping');
  assert.equal(await forced(), 1);
  await world.settle(id);
  await client.call('startWorkspace', { params: { id } });
  assert.equal(await forced(), 0);
  await world.settle(id);
  await client.call('stopWorkspace', { params: { id }, query: { force: 'true' } });
  assert.equal(await forced(), 1);
});

test('the status can be set', async () => {
  await using world = await createApiWorld();
  const id = await createRunning(world);
  const patch = async (status: string): Promise<[number, string]> => {
    const response = await fetch(`${world.baseUrl}/api/v1/workspaces/${id}/status`, {
      method: 'PATCH',
      headers: { authorization: 'Bearer token-alice', 'content-type': 'application/json' },
      body: JSON.stringify({ status }),
    });
    const body = (await response.json()) as { status?: string; error?: string };
    return [response.status, body.status ?? body.error ?? ''];
  };
  assert.deepEqual(await patch('stopped'), [200, 'stopped']);
  assert.deepEqual(await patch('running'), [202, 'creating']);
  assert.deepEqual(await patch('deleted'), [400, 'invalid_request']);
});

test('only a stopped workspace is deleted without force, and nothing is left', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await createRunning(world);
  const params = { id };
  await assert.rejects(client.call('deleteWorkspace', { params }), { code: 'workspace_still_running' });
  await client.call('stopWorkspace', { params });
  assert.equal(await client.call('deleteWorkspace', { params }), undefined);
  await assert.rejects(client.call('getWorkspace', { params }), { code: 'not_found' });
  const again = await createRunning(world);
  await client.call('deleteWorkspace', { params: { id: again }, query: { force: true } });
  const last = await createRunning(world);
  await client.call('deleteWorkspace', { params: { id: last }, body: { force: true } });
  assert.deepEqual(await world.store.db.selectFrom('ports').selectAll().execute(), []);
});

test('a wish that fails, or takes too long, is answered with why', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await createRunning(world);
  world.reconciler.settled = async () => {
    throw new NexusError('node_unreachable', { node: 'node-1' });
  };
  await assert.rejects(client.call('stopWorkspace', { params: { id } }), { code: 'node_unreachable', status: 503 });
  const view = await client.call('getWorkspace', { params: { id } });
  assert.equal(view.status, 'stopping');
});

test('a stop whose client leaves is not waited for any longer, and goes on', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await createRunning(world);
  const left = new AbortController();
  const { promise: aborted, resolve } = Promise.withResolvers<void>();
  world.reconciler.settled = (_id, { signal }) => {
    signal?.addEventListener('abort', () => resolve());
    left.abort();
    return new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason as Error)));
  };
  await assert.rejects(client.call('stopWorkspace', { params: { id }, signal: left.signal }), { name: 'AbortError' });
  await aborted;
  assert.equal((await client.call('getWorkspace', { params: { id } })).status, 'stopping');
});

test('a workspace that is gone by the time it was to be stopped is being deleted', async () => {
  await using world = await createApiWorld();
  const id = await createRunning(world);
  world.reconciler.settled = (workspaceId) => world.store.transaction((tx) => deleteWorkspace(tx, workspaceId));
  assert.equal((await world.client().call('stopWorkspace', { params: { id } })).status, 'deleting');
});

test('a workspace in error says why, and can be started again', async () => {
  await using world = await createApiWorld();
  const client = world.client();
  const id = await createRunning(world);
  const error = new NexusError('clone_failed', { url: 'u', reason: 'r' }).toBody();
  await world.store.transaction((tx) =>
    updateWorkspace(tx, id, {
      status: 'error',
      error_json: JSON.stringify(error),
      warnings_json: '["w"]',
      step: 'cloning',
    }),
  );
  const view = await client.call('getWorkspace', { params: { id } });
  assert.deepEqual([view.status, view.error, view.warnings, view.step], ['error', error, ['w'], 'cloning']);
  await client.call('startWorkspace', { params: { id } });
  assert.deepEqual((await client.call('getWorkspace', { params: { id } })).error, null);
});
