/** Which of a person's keys it is, and a new one where there is none. */
import { chmod, mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { parseSshPublicKey } from '../../core/ssh-key.ts';
import { writeFileAtomic } from '../../lib/atomic-file.ts';
import { osUserName } from '../../lib/os-user.ts';
import { CliError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { expandHome, nexusPaths } from '../files/nexus-paths.ts';
import { readUserConfig } from '../files/user-config-file.ts';
import { describeFailure } from '../report-error.ts';
import { loadSshKey } from './load-ssh-key.ts';
import { agentKeys } from './ssh-agent.ts';
import { candidatePaths, generateSshKey, namedKeyPath } from './ssh-keys.ts';
import type { SshKey } from './ssh-keys.ts';

export type KeyWish = {
  /** A key other than the usual ones: a file, or the fingerprint (`SHA256:…`) of one that ssh-agent holds. */
  readonly keyPath: string | undefined;
  readonly generate: boolean;
};

/** @throws CliError when the key that was named cannot be used, or none of those that are there can */
export async function chooseSshKey(context: CliContext, { keyPath, generate }: KeyWish): Promise<SshKey> {
  const { env } = context;
  const named = keyPath === undefined ? namedKeyPath(env) : expandHome(keyPath, env);
  if (generate) return makeKey(context, named);
  if (named?.startsWith('SHA256:')) return keyOfAgent(context, named);
  if (named !== null) return load(context, named);
  return (await firstOfFiles(context)) ?? (await firstOfAgent(context)) ?? makeKey(context, null);
}

function load({ env, stderr }: CliContext, path: string): Promise<SshKey> {
  return loadSshKey(path, { env, onMended: (text) => stderr.write(`${text}\n`) });
}

/** The first that can be used; why those before it cannot is said. @throws the first failure where ssh-agent has none either */
async function firstOfFiles(context: CliContext): Promise<SshKey | null> {
  const { env, stderr } = context;
  const config = await readUserConfig(nexusPaths(env).configFile, { stderr, nowMs: Date.now() });
  const failures: unknown[] = [];
  for (const path of await candidatePaths(env, config.ssh?.key_path)) {
    const key = await load(context, path).catch((error: unknown) => void failures.push(error));
    if (key) return tellFailures(context, failures, key);
  }
  if (failures.length === 0) return null;
  const ofAgent = await firstOfAgent(context);
  if (ofAgent === null) throw failures[0];
  return tellFailures(context, failures, ofAgent);
}

function tellFailures({ stderr }: CliContext, failures: readonly unknown[], key: SshKey): SshKey {
  for (const error of failures) stderr.write(`! ${describeFailure(error, '').why}\n`);
  return key;
}

async function firstOfAgent(context: CliContext): Promise<SshKey | null> {
  const line = (await agentKeys(context.env)).find((one) => !('problem' in parseSshPublicKey(one)));
  return line === undefined ? null : keepPublicHalf(context, line);
}

async function keyOfAgent(context: CliContext, fingerprint: string): Promise<SshKey> {
  const line = (await agentKeys(context.env)).find((one) => {
    const parsed = parseSshPublicKey(one);
    return 'fingerprint' in parsed && parsed.fingerprint === fingerprint;
  });
  if (line !== undefined) return keepPublicHalf(context, line);
  throw new CliError(`ssh-agent holds no key ${fingerprint} that can be used.`, {
    exitCode: exitCodes.notFound,
    next: 'ssh-add -l',
  });
}

/** OpenSSH is told which of the agent's keys it is by a file with its public half. */
async function keepPublicHalf({ env, stderr }: CliContext, publicKey: string): Promise<SshKey> {
  const { home, sshFolder } = nexusPaths(env);
  const path = join(sshFolder, 'id_agent.pub');
  await mkdir(sshFolder, { recursive: true, mode: 0o700 });
  await Promise.all([chmod(home, 0o700), chmod(sshFolder, 0o700)]);
  await writeFileAtomic(path, `${publicKey}\n`, { mode: 0o600 });
  stderr.write(`the key is one that ssh-agent holds: ${publicKey.split(' ').slice(2).join(' ') || publicKey}\n`);
  return { path, publicKey };
}

async function makeKey(context: CliContext, named: string | null): Promise<SshKey> {
  const path = named ?? join(nexusPaths(context.env).userSshFolder, 'id_ed25519');
  await generateSshKey(path, `${osUserName()}@${hostname()}`);
  context.stderr.write(`made a new key: ${path}\n`);
  return loadSshKey(path, { env: context.env });
}
