/** What must not be there once all is settled: files, processes, rows, ports, interfaces, and what the engine keeps. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { execa } from 'execa';
import { until, type Installation } from '../support/installation.ts';
import type { Arena } from './arena.ts';
import { allProcesses, processesOf, roleOf } from './processes.ts';
import type { Workspace } from './workspaces.ts';

/** Some go a moment after the API says that all is done: a journal is told to forget, a process is reaped. */
const goneWithinMs = 20_000;

/** @throws with all that is left over beside what belongs to these workspaces */
export async function findLeftovers(arena: Arena, workspaces: readonly Workspace[]): Promise<void> {
  const { nexus } = arena;
  let found: string[] = [];
  const nothing = async (): Promise<boolean> => {
    found = (
      await Promise.all([files(nexus, workspaces), processes(arena), rows(nexus, workspaces), journal(nexus)])
    ).flat();
    found.push(...(await commands(nexus, workspaces)));
    found.push(...(await listeners(nexus)), ...(await network(workspaces)), ...(await engine(workspaces)));
    return found.length === 0;
  };
  await until(nothing, 'nothing to be left over', goneWithinMs).catch((error: unknown) => {
    throw new Error(`left over: ${found.join('; ')}`, { cause: error });
  });
}

/** Everything that an installation keeps in its folder; any other file is left over. */
const ownFiles = [
  /^(server-identity\.pem|local-token|streams\.secret|nexus\.db(-wal|-shm)?|server\.(lock|json)|(gateway|agent)-process\.json)$/,
  /^logs\/(gateway|agent|server)\.log(\.1)?$/,
  /^gateway\/(identity\.pem|server-key|routes\.json|gateway\.json|machine-id)$/,
  /^agent\/(identity\.pem|server-key|streams\.json|agent\.json|cluster-id|journal|machine-id)$/,
];

async function files(nexus: Installation, workspaces: readonly Workspace[]): Promise<string[]> {
  const there = await readdir(nexus.dataDir, { recursive: true, withFileTypes: true });
  const names = there.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
  const ids = new Set(workspaces.filter(({ asked }) => asked !== 'gone').map(({ id }) => id));
  const running = await runningMarks();
  const isOwn = (file: string): boolean => {
    const [, mark] = /^agent\/open-commands\/(.+)$/.exec(file) ?? [];
    if (mark !== undefined) return running.has(mark);
    const [, id] = /^agent\/workspaces\/(ws-\w+)\.json$/.exec(file) ?? [];
    return ownFiles.some((form) => form.test(file)) || (id !== undefined && ids.has(id));
  };
  const strange = names.map((file) => file.slice(nexus.dataDir.length + 1)).filter((file) => !isOwn(file));
  // A workspace that was stopped before its repository was cloned still needs the upload.
  const needed = new Set(workspaces.filter(({ asked }) => asked === 'stopped').map(({ id }) => `uploads/${id}.bundle`));
  return strange.filter((file) => !needed.has(file)).map((file) => `file ${file}`);
}

/** By which the agent knows the commands in workspaces that it has under way. */
async function runningMarks(): Promise<Map<string, { readonly pid: string; readonly group: string }>> {
  const pids = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry));
  const read = (pid: string, file: string): Promise<string> =>
    readFile(`/proc/${pid}/${file}`, 'latin1').catch(() => '');
  const found = await Promise.all(
    pids.map(async (pid) => {
      const mark = /(?:^|\0)NEXUS_EXEC_ID=([^\0]+)/.exec(await read(pid, 'environ'))?.[1];
      return mark === undefined ? [] : [[mark, { pid, group: await read(pid, 'cgroup') }] as const];
    }),
  );
  return new Map(found.flat());
}

/** What runs in a workspace for an agent that is not there any more. */
async function commands(nexus: Installation, workspaces: readonly Workspace[]): Promise<string[]> {
  const running = await runningMarks();
  const known = new Set(await readdir(join(nexus.dataDir, 'agent/open-commands')));
  const names = workspaces.flatMap(({ ids }) => [...ids].map((id) => `nexus-${id.replace(/^ws-/, '')}`));
  return [...running].flatMap(([mark, { pid, group }]) =>
    !known.has(mark) && names.some((name) => group.includes(name)) ? [`process ${pid} of the command ${mark}`] : [],
  );
}

/** Beside one of each role there is nothing: no relay, no command, no second agent. Those of this test are its children. */
async function processes({ nexus, execMark }: Arena): Promise<string[]> {
  const own = new Set([process.pid]);
  const all = await processesOf(nexus);
  const strange = [];
  for (const found of all) {
    if (own.has(found.pid) || roleOf(found) !== null || found.args[0] === 'ssh') continue;
    strange.push(`process ${found.pid} ${found.args.join(' ')}`);
  }
  const commands = (await allProcesses()).filter(({ args }) => args.some((arg) => arg.includes(execMark)));
  return [...strange, ...commands.map(({ pid, args }) => `command in a workspace ${pid} ${args.join(' ')}`)];
}

function rows(nexus: Installation, workspaces: readonly Workspace[]): Promise<string[]> {
  using database = new DatabaseSync(join(nexus.dataDir, 'nexus.db'), { readOnly: true });
  const ids = new Set(workspaces.filter(({ asked }) => asked !== 'gone').map(({ id }) => id));
  const found: string[] = [];
  for (const table of ['ports', 'services', 'operations']) {
    for (const row of database.prepare(`select workspace_id from ${table}`).all())
      if (!ids.has(String(row['workspace_id']))) found.push(`row of ${String(row['workspace_id'])} in ${table}`);
  }
  for (const row of database.prepare('select id, command_json from operations where ended_at is null').all())
    found.push(`unfinished operation ${String(row['id'])} ${String(row['command_json'])}`);
  return Promise.resolve(found);
}

/** The answers that the agent keeps until the server has written them down. */
async function journal(nexus: Installation): Promise<string[]> {
  const text = await readFile(join(nexus.dataDir, 'agent/journal'), 'utf8').catch(() => '');
  const kept = new Set<string>();
  for (const line of text.split('\n').filter(Boolean)) {
    const entry = JSON.parse(line) as { forget?: string[]; answer?: { id: string } };
    for (const id of entry.forget ?? []) kept.delete(id);
    if (entry.answer) kept.add(entry.answer.id);
  }
  return [...kept].map((id) => `answer ${id} in the agent's journal`);
}

/** Exactly the ports that are given out are listened on. */
async function listeners(nexus: Installation): Promise<string[]> {
  using database = new DatabaseSync(join(nexus.dataDir, 'nexus.db'), { readOnly: true });
  const given = new Set(
    database
      .prepare('select port from ports')
      .all()
      .map((row) => Number(row['port'])),
  );
  const { stdout } = await execa('ss', ['-Hltn']);
  const open = new Set(
    stdout.split('\n').map((line) => Number(/:(\d+)\s/.exec(line.replace(/^\S+\s+\S+\s+\S+\s+/, ''))?.[1])),
  );
  const ofPools = [...open].filter((port) => port >= nexus.ports.ssh && port < nexus.ports.services + 40);
  return [
    ...ofPools.filter((port) => !given.has(port)).map((port) => `listener at ${port}`),
    ...[...given].filter((port) => !open.has(port)).map((port) => `no listener at ${port}`),
  ];
}

/** Those of these names whose instance is not there any more, or (`running`) does not run. */
function idsWithout(workspaces: readonly Workspace[], what: 'instance' | 'running instance'): string[] {
  return workspaces.flatMap(({ ids, id, asked }) => {
    const isThere = what === 'instance' ? asked !== 'gone' : asked === 'running';
    return [...ids].filter((one) => one !== id || !isThere);
  });
}

function mentions(
  ids: readonly string[],
  texts: Readonly<Record<string, string>>,
  nameOf: (id: string) => string,
): string[] {
  return ids.flatMap((id) =>
    Object.entries(texts).flatMap(([kind, text]) => (text.includes(nameOf(id)) ? [`${kind} of ${id}`] : [])),
  );
}

/** Interfaces, and so routes and rules, have their names from the instance. */
async function network(workspaces: readonly Workspace[]): Promise<string[]> {
  const say = async (command: string, ...args: string[]): Promise<string> => (await execa(command, args)).stdout;
  const texts = {
    interface: await say('ip', '-o', 'link'),
    route: await say('ip', 'route', 'show', 'table', 'all'),
    rule: await say('nft', '-j', 'list', 'ruleset'),
  };
  return mentions(idsWithout(workspaces, 'running instance'), texts, (id) => id.slice(-12));
}

async function engine(workspaces: readonly Workspace[]): Promise<string[]> {
  const list = async (what: string): Promise<string> => (await execa('lxc', ['query', `/1.0/${what}`])).stdout;
  const texts = {
    volume: await list('storage-pools/nexus/volumes?project=nexus'),
    image: await list('images?project=nexus&recursion=1'),
    operation: await list('operations?project=nexus&recursion=1'),
  };
  return mentions(idsWithout(workspaces, 'instance'), texts, (id) => id.replace(/^ws-/, ''));
}
