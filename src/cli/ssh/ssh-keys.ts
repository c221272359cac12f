import { access, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CliError, failure } from '../cli-error.ts';
import type { Environment } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { expandHome, nexusPaths } from '../files/nexus-paths.ts';
import { readOptionalFile } from '../files/read-optional-file.ts';
import { shellQuote } from '../terminal/format.ts';
import { runProgram } from './run-program.ts';

export type SshKey = {
  /** The private key, which is never read. */
  readonly path: string;
  /** One OpenSSH line. */
  readonly publicKey: string;
};

const defaultNames = ['id_ed25519', 'id_ecdsa', 'id_rsa'] as const;

/**
 * The key that the environment names, else the one that is remembered in the person's file, else the first of the usual
 * ones. One that is only remembered may be gone meanwhile.
 */
export async function findSshKey(options: {
  env: Environment;
  remembered: string | undefined;
}): Promise<SshKey | null> {
  const { env, remembered } = options;
  const named = env['NEXUS_SSH_KEY_PATH'];
  if (named) return readSshKey(expandHome(named, env));
  const folder = nexusPaths(env).userSshFolder;
  const usual = defaultNames.map((name) => join(folder, name));
  for (const path of remembered === undefined ? usual : [expandHome(remembered, env), ...usual]) {
    if (await exists(path)) return readSshKey(path);
  }
  return null;
}

/** @throws CliError when there is no such key, or its public half is not there and cannot be made of it */
export async function readSshKey(path: string): Promise<SshKey> {
  const privatePath = path.replace(/\.pub$/, '');
  const publicKey = await readOptionalFile(`${privatePath}.pub`);
  if (publicKey !== null) return { path: privatePath, publicKey: publicKey.trim() };
  if (!(await exists(privatePath))) {
    throw new CliError(`There is no SSH key ${privatePath}.`, {
      exitCode: exitCodes.notFound,
      next: `nexus ssh setup --generate --key-path ${shellQuote(privatePath)}`,
    });
  }
  const derived = await runProgram('ssh-keygen', ['-y', '-P', '', '-f', privatePath]);
  if (derived.exitCode === 0) return { path: privatePath, publicKey: derived.stdout.trim() };
  throw failure(`${privatePath}.pub is missing, and cannot be made without the key's passphrase.`, {
    next: `ssh-keygen -y -f ${shellQuote(privatePath)} > ${shellQuote(`${privatePath}.pub`)}`,
  });
}

/** Makes an ed25519 key without a passphrase. @throws CliError when the file is there already */
export async function generateSshKey(path: string, comment: string): Promise<SshKey> {
  if (await exists(path)) {
    throw new CliError(`${path} is there already, and is not overwritten.`, {
      exitCode: exitCodes.conflict,
      next: `nexus ssh setup --key-path ${shellQuote(path)}`,
    });
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const made = await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path]);
  if (made.exitCode !== 0) {
    throw failure(`ssh-keygen failed: ${made.stderr.trim()}`, { next: `ls -ld ${shellQuote(dirname(path))}` });
  }
  return readSshKey(path);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
