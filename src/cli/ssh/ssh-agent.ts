/** What the person's ssh-agent holds. */
import type { Environment } from '../context.ts';
import { runProgram } from './run-program.ts';

/** Public keys as OpenSSH lines, in the agent's order; none where no agent runs. */
export async function agentKeys(env: Environment): Promise<string[]> {
  if (!env['SSH_AUTH_SOCK']) return [];
  const { exitCode, stdout } = await runProgram('ssh-add', ['-L'], { env }).catch(() => ({ exitCode: 1, stdout: '' }));
  return exitCode === 0
    ? stdout
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
    : [];
}

/** Type and key, which are the same however the comment reads. */
export function withoutComment(publicKey: string): string {
  return publicKey.trim().split(/\s+/).slice(0, 2).join(' ');
}
