/** Why a workspace did not take the key that ssh is told to use, where the reason is on this machine. */
import { readOptionalFile } from '../files/read-optional-file.ts';
import type { CliContext } from '../context.ts';
import { parseSshPublicKey } from '../../core/ssh-key.ts';
import { shellQuote } from '../terminal/format.ts';
import { runProgram } from './run-program.ts';
import { agentKeys, withoutComment } from './ssh-agent.ts';
import { privatePathOf } from './ssh-keys.ts';
import { sshKeyPath } from './write-ssh-config.ts';

/** @param said by ssh. @returns null when it is another reason */
export async function explainRefusedKey(
  context: CliContext,
  said: string,
): Promise<{ why: string; next: string } | null> {
  const path = /Permission denied \([^)]*publickey/.test(said) ? await sshKeyPath(context) : null;
  if (path === null || (await isInAgent(context, path))) return null;
  const runs = context.env['SSH_AUTH_SOCK'] ? '' : 'eval "$(ssh-agent)" && ';
  if (path.endsWith('.pub'))
    return {
      why: `the private half of ${path} is in ssh-agent alone, which does not hold it now`,
      next: `${runs}ssh-add -l`,
    };
  if (!(await hasPassphrase(path))) return null;
  return {
    why: `${path} has a passphrase, nobody can be asked for it here, and ssh-agent does not hold the key`,
    next: `${runs}ssh-add ${shellQuote(path)}`,
  };
}

/** Whether each use of the key wants a touch. */
export async function isOfSecurityToken(context: CliContext): Promise<boolean> {
  const path = await sshKeyPath(context);
  const line = path === null ? null : await readOptionalFile(`${privatePathOf(path)}.pub`);
  return line?.startsWith('sk-') ?? false;
}

async function isInAgent({ env }: CliContext, path: string): Promise<boolean> {
  const line = await readOptionalFile(`${privatePathOf(path)}.pub`);
  const key = line === null ? null : parseSshPublicKey(line);
  if (key === null || 'problem' in key) return false;
  return (await agentKeys(env)).map(withoutComment).includes(key.line);
}

async function hasPassphrase(path: string): Promise<boolean> {
  const { exitCode, stderr } = await runProgram('ssh-keygen', ['-y', '-P', '', '-f', path]);
  return exitCode !== 0 && /passphrase/i.test(stderr);
}
