/** A workspace of its own on the real engine, and the agent's commands for it; all of it is gone after disposal. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import type { CommandContext } from '../../src/agent/commands/command-context.ts';
import { createGitDesk } from '../../src/agent/git/git-desk.ts';
import { executeCommand } from '../../src/agent/commands/executors.ts';
import { findSocket } from '../../src/agent/providers/lxc/find-socket.ts';
import { createLxcProvider } from '../../src/agent/providers/lxc/lxc-provider.ts';
import { createMonitors } from '../../src/agent/services/monitors.ts';
import { createWorkspaceRecords } from '../../src/agent/workspace-records.ts';
import type { AgentCommand, Observation, ServiceReport } from '../../src/contract/control-protocol.ts';
import { newId } from '../../src/contract/ids.ts';
import { serviceSpec, type ServiceSpec } from '../../src/contract/service-spec.ts';
import { silentLog } from './silent-log.ts';

/** False, or why tests of the agent cannot run here. */
export const noEngine: string | false = findSocket() === null && 'there is no LXD or Incus on this machine';

type WithoutId<C> = C extends unknown ? Omit<C, 'workspace_id'> : never;
export type LabCommand = WithoutId<AgentCommand>;

export type Lab = {
  readonly id: string;
  readonly clusterId: string;
  readonly folder: string;
  readonly context: CommandContext;
  /** Every `services` message so far. */
  readonly reports: readonly (readonly ServiceReport[])[];
  /** Lines of progress of all commands. */
  /** Workspaces whose git said that its token was refused. */
  readonly rejections: readonly string[];
  readonly progress: string[];
  run(command: LabCommand): Promise<Observation>;
  /** Root's shell in the workspace, by the engine's own command. */
  shell(script: string): Promise<{ exitCode: number; stdout: string; stderr: string }>;
  /** The first message about services that fits, from those to come. */
  reported(fits: (reports: readonly ServiceReport[]) => boolean, timeoutMs?: number): Promise<readonly ServiceReport[]>;
  /** The agent's memory is gone, as after a crash: monitors end, and everything is read anew. */
  forgetEverything(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export const debian = { provider: 'lxc', image: 'debian:12', packages: [] as string[] } as const;
export const createCommand = {
  do: 'create_instance',
  ...debian,
  hostname: 'lab',
  limits: { cpu: 2, memory_bytes: 1e9, disk_bytes: 4e9, processes: 2048 },
} satisfies LabCommand;
export const labEnv = { NEXUS_WORKSPACE_NAME: 'lab', NEXUS_SERVICE_WEB_PORT: '8000' };
export const configureCommand = {
  do: 'configure',
  name: 'lab',
  ssh_keys: [],
  env: labEnv,
  git: null,
  git_host: null,
} satisfies LabCommand;

/** A workspace that runs, with sshd up, unless `started` says no. `sshdTimeoutMs`: how long sshd is waited for. */
export async function createLab({
  started = true,
  sshdTimeoutMs,
}: { started?: boolean; sshdTimeoutMs?: number } = {}): Promise<Lab> {
  const id = newId('ws');
  const clusterId = `agent-test-${randomUUID().slice(0, 8)}`;
  const folder = await mkdtemp(join(tmpdir(), 'nexus-agent-'));
  const provider = createLxcProvider({ clusterId, relayCommand: relayCommand() });
  const reports: ServiceReport[][] = [];
  const rejections: string[] = [];
  const progress: string[] = [];
  const arrivals = new EventTarget();
  const newMonitors = () =>
    createMonitors({
      onReports(_id, services) {
        reports.push(services);
        arrivals.dispatchEvent(new Event('report'));
      },
      log: silentLog,
    });
  const gitDesk = createGitDesk({
    folder: join(folder, 'git'),
    onRejected: (workspace) => rejections.push(workspace),
    log: silentLog,
  });
  const context = {
    providers: new Map([[provider.name, provider]]),
    machine: 'this-machine',
    records: createWorkspaceRecords(join(folder, 'workspaces')),
    monitors: newMonitors(),
    gitDesk,
    log: silentLog,
    neverStarted: new Set<string>(),
    ...(sshdTimeoutMs === undefined ? {} : { sshdTimeoutMs }),
  };

  const lab: Lab = {
    id,
    clusterId,
    folder,
    context,
    reports,
    rejections,
    progress,
    run: (command) =>
      executeCommand({ ...command, workspace_id: id }, context, {
        progress: (line) => progress.push(line),
        signal: new AbortController().signal,
      }),
    shell: (script) => shellIn(id, script),
    async reported(fits, timeoutMs = 30_000) {
      const deadline = AbortSignal.timeout(timeoutMs);
      const from = reports.length;
      for (;;) {
        const found = reports.slice(from).find(fits);
        if (found) return found;
        await new Promise((resolve, reject) => {
          arrivals.addEventListener('report', resolve, { once: true });
          deadline.addEventListener('abort', () =>
            reject(new Error(`in vain; last: ${JSON.stringify(reports.at(-1))}`)),
          );
        });
      }
    },
    async forgetEverything() {
      await context.monitors[Symbol.asyncDispose]();
      context.monitors = newMonitors();
    },
    async [Symbol.asyncDispose]() {
      await lab.run({ do: 'remove_instance' });
      await context.monitors[Symbol.asyncDispose]();
      await provider[Symbol.asyncDispose]();
      await gitDesk[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
  await lab.run({ do: 'ensure_base', ...debian });
  if (started) {
    await lab.run(createCommand);
    await lab.run({ do: 'start_instance' });
    await lab.run(configureCommand);
  }
  return lab;
}

export async function shellIn(
  id: string,
  script: string,
): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  const name = id.replace(/^ws-/, 'nexus-');
  const result = await execa('lxc', ['exec', '--project', 'nexus', name, '--', 'bash', '-c', script], {
    reject: false,
    stdin: 'ignore',
    timeout: 60_000,
  });
  return { exitCode: result.exitCode ?? -1, stdout: result.stdout, stderr: result.stderr };
}

/** Polls something in the workspace, where there is no event to wait for. */
export async function untilTrue(what: string, condition: () => Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await sleep(50);
  }
}

export function service(name: string, command: string, more: Partial<ServiceSpec> = {}): ServiceSpec {
  return serviceSpec.parse({ name, command, ...more });
}

/** Runs the provider's relay from the sources. */
export function relayCommand(): string[] {
  return [process.execPath, join(import.meta.dirname, 'relay-process.ts')];
}
