import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { NexusError } from '../../contract/errors.ts';
import { runCommand } from '../../lib/run-command.ts';
import { createEngineClient } from '../providers/lxc/engine-client.ts';
import { findSocket } from '../providers/lxc/find-socket.ts';
import { layout } from '../providers/lxc/layout.ts';
import { engineDaemons } from './engine-packages.ts';
import { installedProgram, programFolders } from './host-programs.ts';
import type { SetupStep } from './setup-step.ts';

const answerTimeoutMs = 5000;
const pauseMs = 100;

export type RunningOptions = {
  readonly socketPath?: string | undefined;
  readonly startTimeoutMs?: number;
  /** Of an engine that has no service manager to be started by. */
  readonly logFile?: string;
  readonly folders?: readonly string[];
  /** There when systemd runs the machine. */
  readonly systemdFolder?: string;
};

export function engineRunningStep(options: RunningOptions = {}): SetupStep {
  const { socketPath, startTimeoutMs = 60_000, logFile = '/var/log/nexus/engine.log' } = options;
  let version = '';
  const answers = async (): Promise<boolean> => {
    const found = await engineVersion(socketPath);
    version = found ?? '';
    return found !== null;
  };
  return {
    name: 'engine runs',
    describe: () => version,
    check: async () => ((await answers()) ? null : { detail: 'neither LXD nor Incus answers on its socket' }),
    async apply(onProgress) {
      onProgress('starting the engine');
      await startEngine({ ...options, logFile });
      const deadline = performance.now() + startTimeoutMs;
      while (!(await answers())) {
        if (performance.now() > deadline)
          throw unavailable(
            `the engine did not answer ${startTimeoutMs / 1000} s after its start; its log is ${logFile}`,
          );
        await sleep(pauseMs);
      }
    },
  };
}

/** Such as `lxd 5.0.2`; null: no engine answers. */
export async function engineVersion(socketPath: string | null | undefined): Promise<string | null> {
  const path = socketPath ?? findSocket();
  if (path === null) return null;
  const schema = z.object({ environment: z.object({ server: z.string(), server_version: z.string() }) });
  const engine = createEngineClient({ socketPath: path, project: layout.project });
  // Asked in the default project: ours may not be there yet.
  const query = { project: 'default' };
  const found = await engine.get('/1.0', schema, { timeoutMs: answerTimeoutMs, query }).catch(() => null);
  return found && `${found.environment.server} ${found.environment.server_version}`;
}

async function startEngine(options: RunningOptions & { readonly logFile: string }): Promise<void> {
  const { logFile, folders = programFolders, systemdFolder = '/run/systemd/system' } = options;
  if (existsSync(systemdFolder)) {
    await startUnit();
    return;
  }
  const program = await installedProgram(engineDaemons, folders);
  if (program === null) throw unavailable('neither LXD nor Incus is installed');
  // Without a service manager it is a process of its own, which outlives us.
  await mkdir(dirname(logFile), { recursive: true });
  const log = openSync(logFile, 'a');
  const group = basename(program) === 'lxd' ? ['--group', 'root'] : [];
  spawn(program, [...group, '--logfile', logFile], { detached: true, stdio: ['ignore', log, log] }).unref();
}

async function startUnit(): Promise<void> {
  const timeoutMs = 60_000;
  for (const unit of ['snap.lxd.daemon', 'incus', 'lxd']) {
    const found = await runCommand(['systemctl', 'cat', unit], { timeoutMs }).catch(() => null);
    if (!found) continue;
    await runCommand(['systemctl', 'start', unit], { timeoutMs }).catch((thrown: unknown) => {
      throw unavailable(thrown instanceof Error ? thrown.message : String(thrown));
    });
    return;
  }
  throw unavailable('neither LXD nor Incus is installed');
}

function unavailable(reason: string): NexusError {
  return new NexusError('provider_unavailable', { provider: 'lxc', reason });
}
