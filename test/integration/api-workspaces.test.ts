import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CreateWorkspaceInput, WorkspaceView } from '../../src/contract/workspace.ts';
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
