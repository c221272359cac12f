/** What is left when every workspace was deleted, and again when every role has ended: it should be nothing. */
import { execa } from 'execa';
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { engine } from '../../bench/bare-engine.ts';
import { isAlive } from '../support/installation.ts';
import { expect, sendPatiently } from './client.ts';
import { roles } from './schedule.ts';
import type { Soak } from './soak.ts';

type Sought = Pick<Soak, 'nexus' | 'created'>;

/** Deletes what there is, as its user would. */
export async function deleteAll(soak: Soak): Promise<void> {
  const { body } = expect(await sendPatiently(soak, { method: 'GET', path: '/workspaces?limit=200' }), 200);
  const { workspaces } = body as { workspaces: { workspace_id: string }[] };
  for (const { workspace_id } of workspaces) {
    const path = `/workspaces/${workspace_id}?force=true`;
    expect(await sendPatiently(soak, { method: 'DELETE', path, timeoutMs: 180_000 }), 204, 404);
  }
}

/** With the roles still running: each line names something that should be gone. */
export async function findLeftovers(sought: Sought): Promise<string[]> {
  const parts = await Promise.all([
    ofEngine(sought),
    ofHost(sought),
    ofDataFolder(sought),
    ofPorts(sought),
    ofTemporaryFiles(),
    ofProcesses(sought, await pidsOf(sought)),
  ]);
  return [...parts.flat(), ...ofDatabase(sought)];
}

/** After the installation was disposed of. */
export async function findRemains(sought: Sought): Promise<string[]> {
  const folder = existsSync(sought.nexus.dataDir) ? [`the folder ${sought.nexus.dataDir}`] : [];
  return [...folder, ...(await ofProcesses(sought, []))];
}

function instanceNames({ created }: Sought): string[] {
  return [...created].map((id) => `nexus-${id.replace(/^ws-/, '')}`);
}

async function ofEngine(sought: Sought): Promise<string[]> {
  const names = instanceNames(sought);
  const urls = [
    ...((await engine('GET', '/1.0/instances')) as string[]),
    ...((await engine('GET', '/1.0/storage-pools/nexus/volumes')) as string[]),
  ];
  const cluster = (await readFile(join(sought.nexus.dataDir, 'agent/cluster-id'), 'utf8')).trim();
  const ours = (await engine('GET', '/1.0/instances?recursion=1')) as {
    name: string;
    config: Record<string, string>;
  }[];
  return [
    ...urls.filter((url) => names.some((name) => url.includes(name))).map((url) => `on the engine: ${url}`),
    ...ours
      .filter(({ config }) => config['user.nexus.cluster'] === cluster)
      .map(({ name }) => `an instance of the cluster: ${name}`),
  ];
}

/**
 * Interfaces, routes, firewall rules and control groups carry the name of the instance or of its interface. The engine's
 * own logs (/var/log/lxd) are not ours: it removes them two days after the instance.
 */
async function ofHost(sought: Sought): Promise<string[]> {
  const names = instanceNames(sought);
  const marks = [...names, ...names.map((name) => `nx${name.slice(-12)}`)];
  const listings = await Promise.all(
    [
      ['ip', '-o', 'link'],
      ['ip', 'route', 'show', 'table', 'all'],
      ['nft', 'list', 'ruleset'],
      ['find', '/sys/fs/cgroup', '-maxdepth', '2', '-type', 'd'],
    ].map(async ([command = '', ...args]) => {
      const { stdout } = await execa(command, args, { reject: false });
      return (stdout ?? '').split('\n').map((line) => `${command}: ${line.trim()}`);
    }),
  );
  return [...listings.flat(), ...Object.keys(networkInterfaces())].filter((line) =>
    marks.some((mark) => line.includes(mark)),
  );
}

function ofDatabase({ nexus }: Sought): string[] {
  const database = new DatabaseSync(join(nexus.dataDir, 'nexus.db'), { readOnly: true });
  try {
    return ['workspaces', 'services', 'ports', 'operations'].flatMap((table) => {
      const { count } = database.prepare(`select count(*) as count from ${table}`).get() ?? {};
      return count === 0 ? [] : [`${String(count)} rows of ${table}`];
    });
  } finally {
    database.close();
  }
}

/** Files of workspaces that are gone, and what a kill left of a file that was being written. */
async function ofDataFolder({ nexus, created }: Sought): Promise<string[]> {
  const files = await readdir(nexus.dataDir, { recursive: true });
  return files
    .filter((file) => /\.(tmp|part|new)$/.test(file) || [...created].some((id) => file.includes(id)))
    .map((file) => `in the data folder: ${file}`);
}

/** From proc_net_tcp(5): state 0A listens. */
async function ofPorts({ nexus }: Sought): Promise<string[]> {
  const { ssh, services } = nexus.ports;
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'utf8')));
  const listening = tables.flatMap((table) =>
    table.split('\n').flatMap((line) => {
      const [, local = '', , state] = line.trim().split(/\s+/);
      return state === '0A' ? [Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16)] : [];
    }),
  );
  return listening
    .filter((port) => (port >= ssh && port < ssh + 20) || (port >= services && port < services + 40))
    .map((port) => `port ${port} is listened on`);
}

async function ofTemporaryFiles(): Promise<string[]> {
  const folder = process.env['TMPDIR'];
  if (folder === undefined) return [];
  const entries = await readdir(folder);
  return entries.filter((name) => !name.startsWith('nexus-test-')).map((name) => `in ${folder}: ${name}`);
}

async function pidsOf({ nexus }: Sought): Promise<number[]> {
  return Promise.all(roles.map((role) => nexus.pid(role)));
}

/** Processes that name the installation's folder, but for the roles themselves. */
async function ofProcesses({ nexus }: Sought, except: readonly number[]): Promise<string[]> {
  const root = join(nexus.dataDir, '..');
  const pids = (await readdir('/proc')).map(Number).filter((pid) => pid > 0 && pid !== process.pid);
  const found = await Promise.all(
    pids.map(async (pid) => {
      const line = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).replaceAll('\0', ' ');
      return line.includes(root) && !except.includes(pid) && isAlive(pid) ? [`process ${pid}: ${line.trim()}`] : [];
    }),
  );
  return found.flat();
}
