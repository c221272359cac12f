import { access, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { CliError, failure } from '../cli-error.ts';
import type { Environment } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { expandHome, nexusPaths } from '../files/nexus-paths.ts';
import { shellQuote } from '../terminal/format.ts';
import { runProgram } from './run-program.ts';

export type SshKey = {
  /** For `IdentityFile`: the private key, or the `.pub` of one that ssh-agent alone holds. */
  readonly path: string;
  /** One OpenSSH line. */
  readonly publicKey: string;
};

/** Those of security tokens come last: each use of them wants a touch. */
const usualNames = ['id_ed25519', 'id_ecdsa', 'id_rsa', 'id_ed25519_sk', 'id_ecdsa_sk'] as const;

export function privatePathOf(path: string): string {
  return path.replace(/\.pub$/, '');
}

/** The key that the environment names; null for none. */
export function namedKeyPath(env: Environment): string | null {
  const named = env['NEXUS_SSH_KEY_PATH'];
  return named ? expandHome(named, env) : null;
}

/**
 * Private keys, or public ones without a private half beside them, that are there: the remembered one, which may be gone
 * meanwhile, and the usual ones.
 */
export async function candidatePaths(env: Environment, remembered: string | undefined): Promise<string[]> {
  const folder = nexusPaths(env).userSshFolder;
  const usual = usualNames.map((name) => join(folder, name));
  const all = remembered === undefined ? usual : [expandHome(remembered, env), ...usual];
  const places = await Promise.all(all.map(identityFile));
  return [...new Set(places.filter((path) => path !== null))];
}

/** What `IdentityFile` is to name: the key that the environment names, else the first candidate. */
export async function identityPath(env: Environment, remembered: string | undefined): Promise<string | null> {
  const named = namedKeyPath(env);
  if (named !== null) return identityFile(named);
  return (await candidatePaths(env, remembered))[0] ?? null;
}

async function identityFile(path: string): Promise<string | null> {
  const privatePath = privatePathOf(path);
  if (await exists(privatePath)) return privatePath;
  return (await exists(`${privatePath}.pub`)) ? `${privatePath}.pub` : null;
}

/** Makes an ed25519 key without a passphrase. @throws CliError when a half of it is there already */
export async function generateSshKey(path: string, comment: string): Promise<void> {
  const present = await identityFile(path);
  if (present !== null) {
    throw new CliError(`${present} is there already, and is not overwritten.`, {
      exitCode: exitCodes.conflict,
      next: `nexus ssh setup --key-path ${shellQuote(path)}`,
    });
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const made = await runProgram('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', comment, '-f', path]);
  if (made.exitCode !== 0) {
    throw failure(`ssh-keygen failed: ${made.stderr.trim()}`, { next: `ls -ld ${shellQuote(dirname(path))}` });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
