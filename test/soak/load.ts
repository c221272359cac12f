/** The steady load: shaped so that it leaves a machine of two processors about half idle. */
import { randomUUID } from 'node:crypto';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { until } from '../support/installation.ts';
import { expect, send } from './client.ts';
import { liveShortly } from './cycle.ts';
import { followTicks, ticker } from './log-follower.ts';
import { pause, repeat } from './pause.ts';
import type { Soak } from './soak.ts';
import { holdSession, sshArguments } from './ssh-session.ts';
import { createWorkspace, exec, type Source } from './workspaces.ts';

const longLived = ['soak-1', 'soak-2', 'soak-3', 'soak-4'] as const;
const sessionsEach = 2;
const readEveryMs = 50;
const execEveryMs = 1_000;
const logsEveryMs = 3_000;
const serviceEveryMs = 1_000;
const loginEveryMs = 5_000;
const cycleEveryMs = 15_000;

const web = {
  name: 'web',
  command: 'python3 -m http.server 8000',
  port: 8000,
  health_check: { type: 'http', path: '/', interval: 5 },
};

export async function createLongLived(soak: Soak, source: Source): Promise<WorkspaceView[]> {
  const views: WorkspaceView[] = [];
  for (const name of longLived) views.push(await createWorkspace(soak, { name, services: [web, ticker], source }));
  for (const { workspace_id } of views)
    await until(() => readLogs(soak, workspace_id).then(() => true), `the first line of ${workspace_id}`);
  return views;
}

/** Resolves when the load has ended, after the soak's signal. */
export async function putUnderLoad(soak: Soak, workspaces: readonly WorkspaceView[], source: Source): Promise<void> {
  const { tallies, random, signal, nexus } = soak;
  const [first, ...others] = workspaces;
  if (first === undefined) throw new Error('there is no workspace to put under load');
  const any = (): WorkspaceView => random.pick([first, ...others]);
  let cycle = 0;
  await Promise.all([
    readSteadily(soak, any),
    repeat(execEveryMs, signal, () => tallies.execs.count('exec', () => echo(soak, any().workspace_id))),
    repeat(logsEveryMs, signal, () => tallies.execs.count('logs', () => readLogs(soak, any().workspace_id))),
    repeat(serviceEveryMs, signal, () => tallies.services.count('service', () => visit(any()))),
    repeat(loginEveryMs, signal, () => tallies.logins.count('login', () => login(nexus, any().name))),
    repeat(cycleEveryMs, signal, () => {
      cycle += 1;
      const name = `short-${cycle}`;
      return tallies.cycles.count(name, () => liveShortly(soak, name, source));
    }),
    ...workspaces.flatMap(({ name, workspace_id }) => [
      followTicks(soak, workspace_id),
      ...Array.from({ length: sessionsEach }, () => holdSession(soak, name)),
    ]),
  ]);
}

/** A read every 50 ms, however long the earlier ones take. */
async function readSteadily(soak: Soak, any: () => WorkspaceView): Promise<void> {
  const { tallies, random, signal } = soak;
  const pending = new Set<Promise<unknown>>();
  const from = performance.now();
  for (let count = 1; !signal.aborted; count += 1) {
    const id = any().workspace_id;
    const path = random.pick([
      '/workspaces',
      `/workspaces/${id}`,
      `/workspaces/${id}/services`,
      '/services',
      '/health',
    ]);
    const read = tallies.reads
      .count(`GET ${path}`, async () => expect(await send(soak, { method: 'GET', path, timeoutMs: 5_000 }), 200))
      .finally(() => pending.delete(read));
    pending.add(read);
    await pause(from + count * readEveryMs - performance.now(), signal);
  }
  await Promise.all(pending);
}

async function echo(soak: Soak, id: string): Promise<void> {
  const word = randomUUID();
  const said = await exec(soak, id, ['echo', word]);
  if (said.trim() !== word) throw new Error(`echo ${word} said ${said}`);
}

async function readLogs(soak: Soak, id: string): Promise<void> {
  const path = `/workspaces/${id}/logs?service=${ticker.name}&lines=20`;
  const { body } = expect(await send(soak, { method: 'GET', path }), 200);
  const last = String(body).trim().split('\n').at(-1) ?? '';
  if (!/^tick \d+$/.test(last)) throw new Error(`the last line of the log of ${id} is "${last}"`);
}

/** Through the gateway's port for the service. */
async function visit({ services, name }: WorkspaceView): Promise<void> {
  const url = services['web']?.url;
  if (!url) throw new Error(`the service of ${name} has no URL`);
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) });
  await response.text();
  if (!response.ok) throw new Error(`${url} answers ${response.status}`);
}

async function login(nexus: Soak['nexus'], workspace: string): Promise<void> {
  const { exitCode, stderr } = await nexus.run('ssh', [...sshArguments(nexus, workspace), 'true'], {
    timeoutMs: 20_000,
  });
  if (exitCode !== 0) throw new Error(`ssh exits with ${exitCode}: ${stderr.trim()}`);
}
