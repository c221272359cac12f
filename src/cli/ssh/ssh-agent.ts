/** What the person's ssh-agent holds. */
import type { Environment } from '../context.ts';
import { expandHome, nexusPaths } from '../files/nexus-paths.ts';
import { readOptionalFile } from '../files/read-optional-file.ts';
import { runProgram } from './run-program.ts';

/** Public keys as OpenSSH lines, in the agent's order; none where no agent runs. */
export async function agentKeys(env: Environment): Promise<string[]> {
  const socket = await agentSocket(env);
  if (socket === null) return [];
  const { exitCode, stdout } = await runProgram('ssh-add', ['-L'], { env: { ...env, SSH_AUTH_SOCK: socket } }).catch(
    () => ({ exitCode: 1, stdout: '' }),
  );
  return exitCode === 0
    ? stdout
        .split('\n')
        .map((line) => line.trim())
        .filter(Boolean)
    : [];
}

/** The one that ssh will ask: password managers have themselves named in its configuration (`IdentityAgent`). */
async function agentSocket(env: Environment): Promise<string | null> {
  const fromEnvironment = env['SSH_AUTH_SOCK'] || null;
  const { userSshConfigFile } = nexusPaths(env);
  if ((await readOptionalFile(userSshConfigFile).catch(() => null)) === null) return fromEnvironment;
  const asked = await runProgram('ssh', ['-F', userSshConfigFile, '-G', 'nexus-workspace'], { env }).catch(() => null);
  const named = /^identityagent (.+)$/m.exec(asked?.stdout ?? '')?.[1] ?? 'SSH_AUTH_SOCK';
  if (named === 'none') return null;
  return named === 'SSH_AUTH_SOCK' ? fromEnvironment : expandHome(named, env);
}

/** Type and key, which are the same however the comment reads. */
export function withoutComment(publicKey: string): string {
  return publicKey.trim().split(/\s+/).slice(0, 2).join(' ');
}
