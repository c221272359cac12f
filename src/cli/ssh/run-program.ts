import { execFile, spawn } from 'node:child_process';
import { constants } from 'node:os';
import { failure } from '../cli-error.ts';
import type { Environment } from '../context.ts';

export type ProgramResult = { readonly exitCode: number; readonly stdout: string; readonly stderr: string };

const installs: Readonly<Record<string, string>> = {
  ssh: 'openssh-client',
  'ssh-add': 'openssh-client',
  'ssh-keygen': 'openssh-client',
};

/** As timeout(1) says it. */
export const timedOut = 124;

/**
 * Runs a program without input; one that takes longer than `timeoutMs` is ended, with exit code 124.
 * @throws CliError when it is not installed
 */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { env?: Environment; timeoutMs?: number } = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const env = { ...(options.env ?? process.env) };
    const child = execFile(program, [...args], { env, timeout: options.timeoutMs ?? 0 }, (error, stdout, stderr) => {
      if (error?.killed) resolve({ exitCode: timedOut, stdout, stderr });
      else if (error !== null && typeof error.code !== 'number') reject(notRunnable(program, error));
      else resolve({ exitCode: typeof error?.code === 'number' ? error.code : 0, stdout, stderr });
    });
    child.stdin?.end();
  });
}

/** Runs a program in our place: with our terminal, and its exit code (128 and the signal's number for a signal). */
export function runInOurPlace(program: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: 'inherit' });
    child.on('error', (error) => reject(notRunnable(program, error)));
    child.on('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function notRunnable(program: string, cause: unknown): Error {
  return failure(`${program} cannot be run on this machine: ${(cause as Error).message}`, {
    next: installs[program] === undefined ? null : `apt-get install ${installs[program]}`,
    cause,
  });
}
