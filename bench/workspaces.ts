/** Workspaces of a repository that holds next to nothing, over the API. */
import { api, until, type Installation } from '../test/support/installation.ts';

export type Created = { readonly workspace_id: string; readonly ssh_port: number };
export type Service = { readonly name: string; readonly command: string; readonly port: number };

/** A workspace that is never sent its repository: it gets as far as sshd. */
export function requestWorkspace(
  nexus: Installation,
  name: string,
  services: readonly Service[] = [],
): Promise<Created> {
  const repo = { owner: 'bench', name, source: 'upload' };
  return api<Created>(nexus, 'POST', '/workspaces', { workspace_name: name, repo, services });
}

/** Accepted; `untilRunning` waits for it. */
export async function createWorkspace(
  nexus: Installation,
  bundle: Uint8Array<ArrayBuffer>,
  name: string,
  services: readonly Service[] = [],
): Promise<Created> {
  const created = await requestWorkspace(nexus, name, services);
  const response = await fetch(`${nexus.url}/api/v1/workspaces/${created.workspace_id}/source`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await nexus.token()}`, 'content-type': 'application/octet-stream' },
    body: bundle,
  });
  if (!response.ok) throw new Error(`the repository was not taken: ${response.status} ${await response.text()}`);
  return created;
}

export async function untilRunning(nexus: Installation, count: number): Promise<void> {
  await until(
    async () => (await statuses(nexus)).filter((status) => status === 'running').length === count,
    'all to run',
    600_000,
  );
}

export async function deleteAll(nexus: Installation): Promise<void> {
  const { workspaces } = await api<{ workspaces: Created[] }>(nexus, 'GET', '/workspaces?limit=200');
  await Promise.all(
    workspaces.map(({ workspace_id }) => api(nexus, 'DELETE', `/workspaces/${workspace_id}?force=true`)),
  );
  await until(async () => (await statuses(nexus)).length === 0, 'all to be gone', 600_000);
}

async function statuses(nexus: Installation): Promise<string[]> {
  const { workspaces } = await api<{ workspaces: { name: string; status: string }[] }>(
    nexus,
    'GET',
    '/workspaces?limit=200',
  );
  const failed = workspaces.find(({ status }) => status === 'error');
  if (failed !== undefined) throw new Error(`${failed.name} failed`);
  return workspaces.map(({ status }) => status);
}
