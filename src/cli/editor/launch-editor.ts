import { spawn } from 'node:child_process';
import { basename } from 'node:path';
import { failure } from '../cli-error.ts';
import type { CliContext } from '../context.ts';

/** An editor that fails does it at once; one that still runs after this has a window. */
const failsWithinMs = 1_000;

/**
 * Starts a program that goes on without us. Resolves when it runs, or has done its work.
 * @throws CliError when it cannot be started or fails at once
 */
export async function launchDetached(
  path: string,
  args: readonly string[],
  context: Pick<CliContext, 'env' | 'cwd'>,
): Promise<void> {
  const child = spawn(path, [...args], {
    cwd: context.cwd,
    env: { ...context.env },
    detached: true,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: Buffer[] = [];
  child.stderr.on('data', (chunk: Buffer) => said.push(chunk));
  const why = await new Promise<string | null>((resolve) => {
    const patience = setTimeout(() => resolve(null), failsWithinMs);
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => {
      clearTimeout(patience);
      resolve(code === 0 ? null : (lastLine(Buffer.concat(said).toString()) ?? `it ended with ${code ?? signal}`));
    });
  });
  child.stderr.destroy();
  child.unref();
  if (why !== null) throw failure(`${basename(path)} could not be opened: ${why}.`);
}

function lastLine(text: string): string | undefined {
  return text
    .split('\n')
    .map((line) => line.trim().replace(/\.$/, ''))
    .findLast((line) => line !== '');
}
