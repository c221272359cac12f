/** Workspaces as the load makes and uses them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { WorkspaceStatus, WorkspaceView } from '../../src/contract/workspace.ts';
import type { Installation } from '../support/installation.ts';
import { expect, send, sendPatiently } from './client.ts';
import { pause } from './pause.ts';
import type { Soak } from './soak.ts';

type Client = Pick<Soak, 'nexus' | 'token' | 'created'>;
export type Source = Buffer<ArrayBuffer>;

/** A repository with one commit, `soak`, as a git bundle. */
export async function makeSource(nexus: Installation): Promise<Source> {
  const folder = join(nexus.home, 'soak');
  const commands = [
    ['init', '-q', '-b', 'main', folder],
    [
      '-C',
      folder,
      '-c',
      'user.name=soak',
      '-c',
      'user.email=soak@example.com',
      'commit',
      '-q',
      '--allow-empty',
      '-m',
      'soak',
    ],
    ['-C', folder, 'bundle', 'create', 'source.bundle', 'HEAD', 'main'],
  ];
  for (const command of commands) {
    const { exitCode, stderr } = await nexus.run('git', command);
    if (exitCode !== 0) throw new Error(`git ${command.join(' ')}: ${stderr}`);
  }
  return Buffer.from(await readFile(join(folder, 'source.bundle')));
}

/** Asked for again after a kill, it is the same workspace. Resolves when it runs. */
export async function createWorkspace(
  client: Client,
  { name, services, source }: { name: string; services: readonly unknown[]; source: Source },
): Promise<WorkspaceView> {
  const json = { workspace_name: name, repo: { owner: 'soak', name, source: 'upload' }, services };
  const answer = await sendPatiently(client, { method: 'POST', path: '/workspaces', json });
  const { workspace_id, details } = expect(answer, 202, 409).body as {
    workspace_id?: string;
    details?: { workspace_id?: string };
  };
  const id = workspace_id ?? details?.workspace_id ?? '';
  client.created.add(id);
  // 400: it is in the workspace already, by an upload whose answer was lost.
  expect(await sendPatiently(client, { method: 'PUT', path: `/workspaces/${id}/source`, bytes: source }), 204, 400);
  return untilStatus(client, id, 'running');
}

const settleMs = 180_000;

/** @throws when it comes to `error`, or to nothing in three minutes */
export async function untilStatus(
  client: Pick<Soak, 'nexus' | 'token'>,
  id: string,
  status: WorkspaceStatus,
): Promise<WorkspaceView> {
  const deadline = performance.now() + settleMs;
  let last = 'unknown';
  while (performance.now() < deadline) {
    const view = expect(await sendPatiently(client, { method: 'GET', path: `/workspaces/${id}` }), 200)
      .body as WorkspaceView;
    if (view.status === status) return view;
    if (view.status === 'error') throw new Error(`${id} is in error: ${view.error?.message ?? ''}`);
    last = `${view.status} (${view.step ?? 'no step'})`;
    await pause(250, new AbortController().signal);
  }
  throw new Error(`${id} is ${last}, not ${status}, after ${settleMs / 1000} s`);
}

/** @throws unless it exits with 0 */
export async function exec(
  client: Pick<Soak, 'nexus' | 'token'>,
  id: string,
  command: readonly string[],
  { isPatient = false } = {},
): Promise<string> {
  const request = { method: 'POST', path: `/workspaces/${id}/exec`, json: { command }, timeoutMs: 20_000 };
  const answer = expect(await (isPatient ? sendPatiently : send)(client, request), 200);
  const { exit_code, stdout, stderr } = answer.body as { exit_code: number; stdout: string; stderr: string };
  if (exit_code !== 0) throw new Error(`${command.join(' ')} exited with ${exit_code}: ${stderr}`);
  return stdout;
}
