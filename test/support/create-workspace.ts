/** Workspaces by the API alone, which costs less than a process of the command line each. */
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { api, until, type Installation } from './installation.ts';

/** A git bundle of a repository's branch `main`. */
export async function bundleOf(nexus: Installation, folder: string): Promise<Buffer> {
  const file = join(nexus.home, `${randomUUID()}.bundle`);
  await nexus.run('git', ['-C', folder, 'bundle', 'create', '-q', file, 'HEAD', 'main']);
  const bundle = await readFile(file);
  await rm(file);
  return bundle;
}

export type Answer = { readonly status: number; readonly body: Record<string, unknown> };

/** Asks for a workspace whose repository follows; the answer, whatever it is. */
export async function requestWorkspace(
  nexus: Installation,
  name: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Answer> {
  const response = await fetch(`${nexus.url}/api/v1/workspaces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await nexus.token()}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ workspace_name: name, repo: { owner: 'test', name, source: 'upload' } }),
  });
  return { status: response.status, body: (await response.json()) as Record<string, unknown> };
}

export async function upload(nexus: Installation, id: string, bundle: Buffer): Promise<void> {
  const response = await fetch(`${nexus.url}/api/v1/workspaces/${id}/source`, {
    method: 'PUT',
    headers: { authorization: `Bearer ${await nexus.token()}`, 'content-type': 'application/octet-stream' },
    body: new Uint8Array(bundle),
  });
  assert.equal(response.status, 204, await response.text());
}

/** Returns its id; it is not waited for. */
export async function beginWorkspace(nexus: Installation, name: string, bundle: Buffer): Promise<string> {
  const { status, body } = await requestWorkspace(nexus, name);
  assert.equal(status, 202, JSON.stringify(body));
  const id = String(body['workspace_id']);
  await upload(nexus, id, bundle);
  return id;
}

export function lookAt(nexus: Installation, id: string): Promise<WorkspaceView> {
  return api<WorkspaceView>(nexus, 'GET', `/workspaces/${id}`);
}

/** Until it runs with nothing under way, or failed. */
export async function untilSettled(nexus: Installation, id: string): Promise<WorkspaceView> {
  let view = await lookAt(nexus, id);
  const settled = until(
    async () => {
      view = await lookAt(nexus, id);
      return view.status === 'error' || (view.status === 'running' && view.step === null);
    },
    `${id} to settle`,
    120_000,
  );
  await settled.catch((cause: unknown) => {
    throw new Error(`${id} does not settle: ${JSON.stringify(view)}`, { cause });
  });
  return view;
}
