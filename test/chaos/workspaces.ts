/** The workspaces of a chaos run: what was asked for of each, and how it is asked. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from '../support/installation.ts';
import type { Arena } from './arena.ts';
import { askUntilAnswered } from './persistent-client.ts';
import { askedBy, type Asked, type Deed, type Task } from './plan-round.ts';

export type Workspace = {
  readonly name: string;
  /** In its repository, and so in its clone and in the answers of its service. */
  readonly marker: string;
  readonly bundle: Uint8Array<ArrayBuffer>;
  asked: Asked;
  /** Of the newest one of this name. */
  id: string | null;
  /** Of all that ever had this name. */
  readonly ids: Set<string>;
  /** Whether it ran and the file of uncommitted work was written into its clone. */
  hasWork: boolean;
};

/** On the loopback alone: the way from outside leads through a relay of the agent. */
const loopback = (name: string): boolean => ['keeper', 'c1', 'c3'].includes(name);

const configOf = (name: string): string => `version: "1.0"
services:
  web:
    command: exec python3 -m http.server ${loopback(name) ? '--bind 127.0.0.1 ' : ''}8000
    port: 8000
    health_check: { type: http, path: /marker.txt, interval: 1s }
lifecycle:
  pre_start: sleep 0.3
`;

export async function createWorkspaces(nexus: Installation, names: readonly string[]): Promise<Workspace[]> {
  return Promise.all(
    names.map(async (name): Promise<Workspace> => {
      const marker = `${name} of ${nexus.dataDir}`;
      return {
        name,
        marker,
        bundle: await bundleOf(nexus, name, marker),
        asked: 'gone',
        id: null,
        ids: new Set(),
        hasWork: false,
      };
    }),
  );
}

async function bundleOf(nexus: Installation, name: string, marker: string): Promise<Uint8Array<ArrayBuffer>> {
  const folder = join(nexus.home, `repo-${name}`);
  await mkdir(join(folder, '.nexus'), { recursive: true });
  await writeFile(join(folder, '.nexus/config.yaml'), configOf(name));
  await writeFile(join(folder, 'marker.txt'), marker);
  const git = async (...args: string[]): Promise<void> => {
    const who = ['-c', 'user.name=t', '-c', 'user.email=t@example.com'];
    const { exitCode, stderr } = await nexus.run('git', ['-C', folder, ...who, ...args]);
    if (exitCode !== 0) throw new Error(stderr);
  };
  await git('init', '-q', '-b', 'main');
  await git('add', '.');
  await git('commit', '-q', '-m', 'first');
  await git('bundle', 'create', '-q', 'source.bundle', 'HEAD', 'main');
  return new Uint8Array(await readFile(join(folder, 'source.bundle')));
}

export type UnderWay = {
  /** Resolves when all is asked and answered; rejects when the server said what it must not say. */
  readonly done: Promise<void>;
  /** Ends the commands that still run. */
  endCommands(): Promise<void>;
};

/** Starts the deeds of one workspace. What was asked for is noted at once: it is asked until it is answered. */
export function carryOut(arena: Arena, workspace: Workspace, task: Task): UnderWay {
  const { nexus } = arena;
  const commands: ChildProcess[] = [];

  async function all(): Promise<void> {
    const underWay: Promise<void>[] = [];
    for (const [index, { deed, afterMs }] of task.deeds.entries()) {
      await delay(afterMs);
      const isLast = index === task.deeds.length - 1;
      const given = isLast ? new AbortController().signal : AbortSignal.timeout(task.deeds[index + 1]?.afterMs ?? 0);
      if (deed === 'exec') commands.push(startCommand(arena, workspace.name));
      else if (deed === 'create') await create(nexus, workspace, underWay);
      else underWay.push(ask(nexus, workspace, deed, given));
    }
    await Promise.all(underWay);
  }
  for (const { deed } of task.deeds) workspace.asked = askedBy(deed, workspace.asked);
  if (task.deeds.some(({ deed }) => deed === 'create')) workspace.hasWork = false;
  return {
    done: all(),
    async endCommands() {
      for (const command of commands) await endOf(command);
    },
  };
}

/** The upload goes on beside what follows: a delete makes an end of it. */
async function create(nexus: Installation, workspace: Workspace, underWay: Promise<void>[]): Promise<void> {
  const never = new AbortController().signal;
  const { name, bundle } = workspace;
  const created = await askUntilAnswered<{ workspace_id: string }>(
    nexus,
    {
      method: 'POST',
      path: '/workspaces',
      body: { workspace_name: name, repo: { owner: 'test', name, source: 'upload' } },
      // Asked again, it is answered again, and makes no second one.
      headers: { 'idempotency-key': `${name}-${crypto.randomUUID()}` },
      accept: [202],
    },
    never,
  );
  const id = created?.workspace_id ?? '';
  workspace.id = id;
  workspace.ids.add(id);
  const upload = { method: 'PUT', path: `/workspaces/${id}/source`, bytes: bundle };
  const accept = [204, ...(workspace.asked === 'gone' ? ['workspace_not_found', 'not_found'] : []), 'invalid_request'];
  underWay.push(askUntilAnswered(nexus, { ...upload, accept }, never).then(() => undefined));
}

async function ask(nexus: Installation, { id }: Workspace, deed: Deed, given: AbortSignal): Promise<void> {
  const at = `/workspaces/${id}`;
  const start = { method: 'POST', path: `${at}/start`, accept: [202, 'workspace_already_running'] };
  const stop = { method: 'POST', path: `${at}/stop`, accept: [200, 'workspace_already_stopped'] };
  const remove = {
    method: 'DELETE',
    path: `${at}?force=true`,
    accept: [204, 'workspace_not_found', 'not_found'],
  };
  if (deed === 'stop' || deed === 'restart') await askUntilAnswered(nexus, stop, given);
  if (deed === 'start' || (deed === 'restart' && !given.aborted)) await askUntilAnswered(nexus, start, given);
  if (deed === 'delete') await askUntilAnswered(nexus, remove, given);
}

/** A command with a child that would run for an hour; the mark is among its arguments. */
function startCommand({ nexus, program: [file = '', ...prefix], execMark }: Arena, name: string): ChildProcess {
  const inside = ['sh', '-c', `sh -c 'sleep 3600; true' ${execMark}; true`, execMark];
  return spawn(file, [...prefix, 'workspace', 'exec', name, '--', ...inside], { env: nexus.env, stdio: 'ignore' });
}

async function endOf(command: ChildProcess): Promise<void> {
  if (command.exitCode !== null || command.signalCode !== null) return;
  command.kill('SIGKILL');
  await once(command, 'exit');
}
