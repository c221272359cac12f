import { spawn } from 'node:child_process';
import { existsSync, openSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import { NexusError } from '../../contract/errors.ts';
import { runCommand } from '../../lib/run-command.ts';
import { createEngineClient } from '../providers/lxc/engine-client.ts';
import { findSocket } from '../providers/lxc/find-socket.ts';
import { layout } from '../providers/lxc/layout.ts';
import { engineProgram } from './engine-packages.ts';
import type { SetupStep } from './setup-step.ts';

const answerTimeoutMs = 5000;
const startTimeoutMs = 60_000;
const pauseMs = 100;

export function engineRunningStep({ socketPath }: { socketPath?: string | undefined } = {}): SetupStep {
  let found = '';
  const answering = async (): Promise<boolean> => {
    const version = await engineVersion(socketPath);
    found = version ?? '';
    return version !== null;
  };
  return {
    name: 'engine runs',
    describe: () => found,
    check: async () => ((await answering()) ? null : { detail: 'neither LXD nor Incus answers on its socket' }),
    async apply(onProgress) {
      onProgress('starting the engine');
      await startEngine();
      const deadline = Date.now() + startTimeoutMs;
      while (!(await answering())) {
        if (Date.now() > deadline)
          throw new NexusError('provider_unavailable', {
            provider: 'lxc',
            reason: `the engine did not answer ${startTimeoutMs / 1000} s after its start; its log is ${logFile}`,
          });
        await sleep(pauseMs);
      }
    },
  };
}

/** Such as `lxd 5.0.2`; null: no engine answers. */
export async function engineVersion(socketPath = findSocket()): Promise<string | null> {
  if (socketPath === null) return null;
  const schema = z.object({ environment: z.object({ server: z.string(), server_version: z.string() }) });
  const engine = createEngineClient({ socketPath, project: layout.project });
  // Asked in the default project: ours may not be there yet.
  const query = { project: 'default' };
  const found = await engine.get('/1.0', schema, { timeoutMs: answerTimeoutMs, query }).catch(() => null);
  return found && `${found.environment.server} ${found.environment.server_version}`;
}

const logFile = '/var/log/nexus/engine.log';

async function startEngine(): Promise<void> {
  const program = await engineProgram();
  if (program === null)
    throw new NexusError('provider_unavailable', { provider: 'lxc', reason: 'neither LXD nor Incus is installed' });
  if (existsSync('/run/systemd/system')) {
    const unit = existsSync('/snap/bin/lxd') ? 'snap.lxd.daemon' : program === 'incusd' ? 'incus' : 'lxd';
    await runCommand(['systemctl', 'start', unit], { timeoutMs: startTimeoutMs });
    return;
  }
  // Without systemd it is a process of its own, which outlives us.
  await mkdir('/var/log/nexus', { recursive: true });
  const log = openSync(logFile, 'a');
  spawn(program, ['--group', 'root', '--logfile', logFile], { detached: true, stdio: ['ignore', log, log] }).unref();
}
