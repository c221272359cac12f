/** A command of an installation that goes on until it is interrupted, and what it has said so far. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Installation } from './installation.ts';

export type RunningCommand = AsyncDisposable & {
  /** Resolves with the match, in what was said or is said from now on. */
  says(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<RegExpExecArray>;
  said(stream: 'stdout' | 'stderr'): string;
  /** Ctrl-C; resolves with the exit code. */
  interrupt(): Promise<number | null>;
};

export function startCommand(nexus: Installation, program: readonly string[], args: readonly string[]): RunningCommand {
  const [file = '', ...prefix] = program;
  const child = spawn(file, [...prefix, ...args], { env: nexus.env, stdio: ['ignore', 'pipe', 'pipe'] });
  const said = { stdout: '', stderr: '' };
  const heard = new EventTarget();
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk: Buffer) => {
      said[stream] += chunk.toString();
      heard.dispatchEvent(new Event('more'));
    });
  const exited = once(child, 'exit').then(([code]) => {
    heard.dispatchEvent(new Event('more'));
    return code as number | null;
  });
  return {
    said: (stream) => said[stream],
    async says(stream, pattern) {
      const patience = AbortSignal.timeout(60_000);
      for (;;) {
        const match = pattern.exec(said[stream]);
        if (match) return match;
        const over = child.exitCode !== null || child.signalCode !== null;
        if (over || patience.aborted)
          throw new Error(`${args.join(' ')} did not say ${pattern} on ${stream}:\n${said.stdout}\n${said.stderr}`);
        await once(heard, 'more', { signal: patience }).catch(() => undefined);
      }
    },
    interrupt() {
      child.kill('SIGINT');
      return exited;
    },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}
