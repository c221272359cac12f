/** Compares what is with what was asked for, by the API, by the engine, from inside, and from outside. */
import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { once } from 'node:events';
import { execa } from 'execa';
import { api, until, type Installation } from '../support/installation.ts';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { clusterOf, type Arena } from './arena.ts';
import { findLeftovers } from './leftovers.ts';
import { processesOf, roleOf } from './processes.ts';
import type { Workspace } from './workspaces.ts';

/** A role that dies again and again is started again after up to 30 s. */
const settleWithinMs = 120_000;

export async function settle(arena: Arena, workspaces: readonly Workspace[]): Promise<void> {
  const { nexus } = arena;
  await until(
    async () => (await api<{ status: string }>(nexus, 'GET', '/health')).status === 'ok',
    'agent and gateway to be back',
    settleWithinMs,
  );
  for (const workspace of workspaces) await untilAsAsked(nexus, workspace);
  await sameOnTheEngine(arena, workspaces);
  for (const workspace of workspaces.filter(({ asked }) => asked === 'running')) await works(nexus, workspace);
  await nothingTwice(arena);
  await oneOfEachRole(nexus);
  await findLeftovers(arena, workspaces);
}

async function viewOf(nexus: Installation, name: string): Promise<WorkspaceView | null> {
  const { workspaces } = await api<{ workspaces: { workspace_id: string; name: string }[] }>(
    nexus,
    'GET',
    '/workspaces',
  );
  const found = workspaces.find((one) => one.name === name);
  return found ? api<WorkspaceView>(nexus, 'GET', `/workspaces/${found.workspace_id}`) : null;
}

async function untilAsAsked(nexus: Installation, { name, id, asked }: Workspace): Promise<void> {
  let last: WorkspaceView | null = null;
  const isSo = async (): Promise<boolean> => {
    last = await viewOf(nexus, name);
    if (asked === 'gone') return last === null;
    if (last?.workspace_id !== id || last.status !== asked || last.step !== null || last.warnings.length > 0)
      return false;
    return asked === 'stopped' || last.services['web']?.health === 'healthy';
  };
  await until(isSo, `${name} to be ${asked}`, settleWithinMs).catch((error: unknown) => {
    throw new Error(`${name} (${id}) is not ${asked}: ${JSON.stringify(last)}`, { cause: error });
  });
}

type Listed = {
  readonly name: string;
  readonly status: string;
  readonly config: Readonly<Record<string, string>>;
  readonly devices: Readonly<Record<string, Readonly<Record<string, string>>>>;
};

async function instancesOf(arena: Arena): Promise<Listed[]> {
  const filter = `user.nexus.cluster=${await clusterOf(arena)}`;
  const { stdout } = await execa('lxc', ['list', '--project', 'nexus', '--format', 'json', filter]);
  return JSON.parse(stdout) as Listed[];
}

async function sameOnTheEngine(arena: Arena, workspaces: readonly Workspace[]): Promise<void> {
  const found = (await instancesOf(arena)).map(({ status, config }) => `${config['user.nexus.workspace']} ${status}`);
  const wanted = workspaces.flatMap(({ id, asked }) => {
    if (asked === 'gone') return [];
    return [`${id} ${asked === 'running' ? 'Running' : 'Stopped'}`];
  });
  assert.deepEqual(found.toSorted(), wanted.toSorted(), 'the instances on the engine');
}

/** SSH greets, the service serves, and what was committed and what was not are in the clone. */
async function works(nexus: Installation, workspace: Workspace): Promise<void> {
  const { name, marker } = workspace;
  const view = await viewOf(nexus, name);
  await until(
    async () => (await greetingAt(view?.ssh.port ?? 0)).startsWith('SSH-'),
    `sshd of ${name} to greet`,
    10_000,
  );
  const url = view?.services['web']?.url ?? '';
  await until(
    async () => (await (await fetch(`${url}/marker.txt`)).text()) === marker,
    `${url} to serve ${name}`,
    10_000,
  );
  const instance = `nexus-${workspace.id?.replace(/^ws-/, '')}`;
  // Not by `lxc exec`, which loses the output of a short command now and then when the machine is busy.
  const fileOf = (file: string): string => `${instance}/home/dev/workspace/${file}`;
  const read = async (file: string): Promise<string> =>
    (await execa('lxc', ['file', 'pull', '--project', 'nexus', fileOf(file), '-'])).stdout;
  assert.equal(await read('marker.txt'), marker, `what was committed to ${name}`);
  const work = `work of ${workspace.id}`;
  if (workspace.hasWork) assert.equal(await read('work.txt'), work, `what was written into ${name}`);
  else await execa('lxc', ['file', 'push', '--project', 'nexus', '-', fileOf('work.txt')], { input: work });
  workspace.hasWork = true;
}

async function greetingAt(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    const [greeting] = (await once(socket, 'data', { signal: AbortSignal.timeout(5000) })) as [Buffer];
    return greeting.toString('latin1');
  } finally {
    socket.destroy();
  }
}

async function nothingTwice(arena: Arena): Promise<void> {
  const { nexus } = arena;
  const instances = await instancesOf(arena);
  const addresses = instances.map(({ devices }) => devices['eth0']?.['ipv4.address']);
  assert.equal(new Set(addresses).size, addresses.length, `addresses given out: ${addresses.join(', ')}`);
  const { workspaces } = await api<{ workspaces: { workspace_id: string; ssh_port: number }[] }>(
    nexus,
    'GET',
    '/workspaces',
  );
  const views = await Promise.all(
    workspaces.map(({ workspace_id }) => api<WorkspaceView>(nexus, 'GET', `/workspaces/${workspace_id}`)),
  );
  const ports = views.flatMap(({ ssh, services }) => [
    ssh.port,
    ...Object.values(services).map(({ mapped_port }) => mapped_port),
  ]);
  const given = ports.filter((port) => port !== null);
  assert.equal(new Set(given).size, given.length, `ports given out: ${given.join(', ')}`);
}

async function oneOfEachRole(nexus: Installation): Promise<void> {
  let found: string[] = [];
  const isSo = async (): Promise<boolean> => {
    found = (await processesOf(nexus)).flatMap((one) => roleOf(one) ?? []).toSorted();
    return found.join() === 'agent,gateway,server';
  };
  await until(isSo, 'one process of each role', 15_000).catch(() => {
    throw new Error(`the processes of the roles are ${found.join(', ')}`);
  });
}
