/** An SSH session through the gateway that is held open, with `cat` at its other end. */
import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { until, type Installation } from '../support/installation.ts';

export type HeldSession = {
  readonly pid: number | undefined;
  /** @throws when the line does not come back, for the session has ended or hangs */
  echo(text: string): Promise<void>;
  close(): Promise<void>;
};

const echoWithinMs = 10_000;

export async function openSession(nexus: Installation, port: number): Promise<HeldSession> {
  let held: HeldSession | null = null;
  await until(async () => {
    const session = dial(nexus, port);
    try {
      await session.echo('hello');
      held = session;
      return true;
    } catch (error) {
      await session.close();
      throw error;
    }
  }, `an SSH session at port ${port}`);
  if (!held) throw new Error('unreachable');
  return held;
}

function dial(nexus: Installation, port: number): HeldSession {
  const quiet = ['-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR', '-o', 'ControlPath=none'];
  const anyHost = ['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'];
  const key = ['-i', join(nexus.home, '.ssh/id_ed25519'), '-o', 'IdentitiesOnly=yes'];
  const ssh = spawn('ssh', ['-F', 'none', ...quiet, ...anyHost, ...key, '-p', String(port), 'dev@127.0.0.1', 'cat'], {
    env: nexus.env,
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  ssh.stdin.on('error', () => undefined);
  const ended = new Promise<void>((resolve) => ssh.once('close', () => resolve()));
  const lines = createInterface({ input: ssh.stdout })[Symbol.asyncIterator]();
  return {
    pid: ssh.pid,
    async echo(text) {
      ssh.stdin.write(`${text}\n`);
      const line = await within(echoWithinMs, lines.next(), `the echo of ${text}`);
      if (line.value !== text) throw new Error(`the session ended, or said ${String(line.value)} for ${text}`);
    },
    close: () => endOf(ssh, ended),
  };
}

async function endOf(ssh: ChildProcess, ended: Promise<void>): Promise<void> {
  ssh.kill('SIGKILL');
  await ended;
}

async function within<T>(ms: number, promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited ${ms} ms in vain for ${what}`)), ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
