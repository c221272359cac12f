/** A short life: create, use, stop, start, use, delete; after each, the engine is asked whether it is so. */
import { engine } from '../../bench/bare-engine.ts';
import { expect, sendPatiently } from './client.ts';
import { pause } from './pause.ts';
import type { Soak } from './soak.ts';
import { createWorkspace, exec, untilStatus, type Source } from './workspaces.ts';

export async function liveShortly(soak: Soak, name: string, source: Source): Promise<void> {
  const { workspace_id: id } = await createWorkspace(soak, { name, services: [], source });
  const left = new AbortController();
  const followed = drainEvents(soak, id, left.signal);
  try {
    await expectCommit(soak, id);
    await stop(soak, id);
    // 409: an earlier request, whose answer was lost, has started it.
    expect(await sendPatiently(soak, { method: 'POST', path: `/workspaces/${id}/start` }), 202, 409);
    await untilStatus(soak, id, 'running');
    await expectInstance(id, 'Running');
    await expectCommit(soak, id);
  } finally {
    await remove(soak, id);
    left.abort();
    await followed;
  }
  await expectInstance(id, null);
}

/** As `status --watch` does; a stream that a kill ends is not opened again. */
async function drainEvents({ nexus, token }: Soak, id: string, signal: AbortSignal): Promise<void> {
  try {
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(`${nexus.url}/api/v1/workspaces/${id}/events`, { headers, signal });
    for await (const _chunk of response.body ?? []);
  } catch {
    // What it is for is the load on the server.
  }
}

async function expectCommit(soak: Soak, id: string): Promise<void> {
  const log = await exec(soak, id, ['git', 'log', '--format=%s'], { isPatient: true });
  if (log.trim() !== 'soak') throw new Error(`the repository of ${id} has the commits ${log}`);
}

async function stop(soak: Soak, id: string): Promise<void> {
  const request = { method: 'POST', path: `/workspaces/${id}/stop`, timeoutMs: 60_000 };
  expect(await sendPatiently(soak, request), 200, 409);
  await untilStatus(soak, id, 'stopped');
  await expectInstance(id, 'Stopped');
}

async function remove(soak: Soak, id: string): Promise<void> {
  const request = { method: 'DELETE', path: `/workspaces/${id}?force=true`, timeoutMs: 60_000 };
  expect(await sendPatiently(soak, request), 204, 404, 409);
  const deadline = performance.now() + 120_000;
  while ((await sendPatiently(soak, { method: 'GET', path: `/workspaces/${id}` })).status !== 404) {
    if (performance.now() > deadline) throw new Error(`${id} is still there two minutes after its deletion`);
    await pause(250, new AbortController().signal);
  }
}

/** @param status null: there is none */
async function expectInstance(id: string, status: string | null): Promise<void> {
  const name = `nexus-${id.replace(/^ws-/, '')}`;
  const instances = (await engine('GET', '/1.0/instances?recursion=1')) as { name: string; status: string }[];
  const found = instances.find((instance) => instance.name === name)?.status ?? null;
  if (found !== status) throw new Error(`the instance of ${id} is ${found ?? 'gone'} on the engine, not ${status}`);
}
