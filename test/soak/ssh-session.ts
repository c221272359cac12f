/** SSH sessions that stay open and are used all the time, and logins that come and go. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Installation } from '../support/installation.ts';
import { pause } from './pause.ts';
import type { Soak } from './soak.ts';

const echoEveryMs = 1_000;
const echoWithinMs = 30_000;

type Session = AsyncDisposable & {
  /** @throws when it does not come back within the time, or the session has ended */
  echo(text: string): Promise<void>;
};

export function sshArguments({ home }: Installation, workspace: string): string[] {
  const options = ['BatchMode=yes', 'ControlPath=none', 'ConnectTimeout=10'].flatMap((option) => ['-o', option]);
  return ['-F', join(home, '.ssh/config'), ...options, `nexus-${workspace}`];
}

/** Holds a session open until the load ends; one that is lost is counted, and opened again. */
export async function holdSession(soak: Soak, workspace: string): Promise<void> {
  for (let session = 1; !soak.signal.aborted; session += 1) {
    await using ssh = openSession(soak.nexus, workspace);
    const opened = await ssh.echo('hello').then(
      () => true,
      () => false,
    );
    if (opened) await useSession(soak, ssh, `${workspace}, session ${session}`);
    await pause(1_000, soak.signal);
  }
}

async function useSession(soak: Soak, ssh: Session, name: string): Promise<void> {
  soak.sessions.open();
  let lastUsedMs = soak.now();
  try {
    for (let line = 1; !soak.signal.aborted; line += 1) {
      await ssh.echo(`line ${line}`);
      soak.sessions.use();
      lastUsedMs = soak.now();
      await pause(echoEveryMs, soak.signal);
    }
  } catch (error) {
    soak.sessions.end({ lastUsedMs, reason: `${name}: ${(error as Error).message}` });
  }
}

function openSession(nexus: Installation, workspace: string): Session {
  // In a process group of its own, so that Ctrl-C ends the soak and not its sessions.
  const ssh = spawn('ssh', [...sshArguments(nexus, workspace), 'cat'], {
    env: nexus.env,
    stdio: ['pipe', 'pipe', 'pipe'],
    detached: true,
  });
  let said = '';
  ssh.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-300)));
  ssh.stdin.on('error', () => undefined);
  const lines = createInterface({ input: ssh.stdout })[Symbol.asyncIterator]();
  const closed = once(ssh, 'close');
  closed.catch(() => undefined);

  return {
    async echo(text) {
      ssh.stdin.write(`${text}\n`);
      const late = new AbortController();
      const next = await Promise.race([lines.next(), pause(echoWithinMs, late.signal)]).finally(() => late.abort());
      if (next === undefined) throw new Error(`no echo in ${echoWithinMs / 1000} s`);
      if (next.done) throw new Error(`it ended: ${said.trim()}`);
      if (next.value !== text) throw new Error(`${next.value} came back for ${text}`);
    },
    async [Symbol.asyncDispose]() {
      ssh.stdin.end();
      const killing = setTimeout(() => ssh.kill('SIGKILL'), 3_000);
      await closed.catch(() => undefined);
      clearTimeout(killing);
    },
  };
}
