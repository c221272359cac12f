/** A key of the person's as it is: its halves belong together, or ssh-agent holds the private one. */
import { chmod, readFile, stat } from 'node:fs/promises';
import { parseSshPublicKey } from '../../core/ssh-key.ts';
import { CliError, failure } from '../cli-error.ts';
import type { Environment } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { readOptionalFile } from '../files/read-optional-file.ts';
import { shellQuote } from '../terminal/format.ts';
import { publicHalfOf } from './public-half.ts';
import { runProgram } from './run-program.ts';
import { agentKeys, withoutComment } from './ssh-agent.ts';
import { privatePathOf } from './ssh-keys.ts';
import type { SshKey } from './ssh-keys.ts';

export type LoadOptions = {
  readonly env: Environment;
  /** Told that the file is closed to others now; absent: it is left as it is. */
  readonly onMended?: (text: string) => void;
};

/** When a key cannot be used. */
export const makeAnother = 'nexus ssh setup --generate --key-path ~/.ssh/nexus';

/**
 * @param path of the private key or of its `.pub`
 * @throws CliError when there is no such key, its halves do not belong together, or it cannot be used
 */
export async function loadSshKey(path: string, options: LoadOptions): Promise<SshKey> {
  const privatePath = privatePathOf(path);
  const publicPath = `${privatePath}.pub`;
  const written = (await readOptionalFile(publicPath))?.trim() ?? null;
  const found = await stat(privatePath).catch(() => null);
  if (found === null) return keyOfAgent(privatePath, written, options);
  if ((found.mode & 0o077) !== 0 && options.onMended !== undefined)
    await closeToOthers(privatePath, found.mode, options.onMended);
  const derived = publicHalfOf(await readFile(privatePath, 'utf8')) ?? (await askForPublicHalf(privatePath, written));
  if (written === null) return { path: privatePath, publicKey: derived };
  if (withoutComment(written) !== withoutComment(derived)) {
    const parsed = parseSshPublicKey(written);
    const why = 'problem' in parsed ? parsed.problem : `is not the public half of ${privatePath}`;
    throw failure(`${publicPath} ${why}.`, { next: remake(privatePath) });
  }
  return { path: privatePath, publicKey: written };
}

/** OpenSSH does not use a private key that others may read. */
async function closeToOthers(path: string, mode: number, onMended: (text: string) => void): Promise<void> {
  const was = `mode ${(mode & 0o777).toString(8)}`;
  await chmod(path, 0o600).catch((cause: unknown) => {
    throw failure(`${path} is open to others (${was}), so that OpenSSH does not use it.`, {
      next: `chmod 600 ${shellQuote(path)}`,
      cause,
    });
  });
  onMended(`${path} was open to others (${was}), and is not any more`);
}

/** Of an older format; one with a passphrase is believed what stands beside it. */
async function askForPublicHalf(privatePath: string, written: string | null): Promise<string> {
  const derived = await runProgram('ssh-keygen', ['-y', '-P', '', '-f', privatePath]);
  if (derived.exitCode === 0) return derived.stdout.trim();
  const said = derived.stderr.trim().split('\n').at(-1) ?? '';
  if (!/passphrase/i.test(said))
    throw failure(`${privatePath} is no private key that can be used: ${said}.`, { next: makeAnother });
  if (written !== null) return written;
  throw failure(`${privatePath}.pub is missing, and cannot be made without the key's passphrase.`, {
    next: remake(privatePath),
  });
}

/** The private half is on no disk of this machine, or on none that we know. */
async function keyOfAgent(privatePath: string, written: string | null, { env }: LoadOptions): Promise<SshKey> {
  const publicPath = `${privatePath}.pub`;
  if (written === null)
    throw new CliError(`There is no SSH key ${privatePath}.`, {
      exitCode: exitCodes.notFound,
      next: `nexus ssh setup --generate --key-path ${shellQuote(privatePath)}`,
    });
  const parsed = parseSshPublicKey(written);
  if ('problem' in parsed) throw failure(`${publicPath} ${parsed.problem}.`, { next: makeAnother });
  const held = (await agentKeys(env)).map(withoutComment);
  if (held.includes(parsed.line)) return { path: publicPath, publicKey: written };
  throw new CliError(`The private half of ${publicPath} is neither beside it nor in ssh-agent.`, {
    exitCode: exitCodes.notFound,
    next: makeAnother,
  });
}

function remake(privatePath: string): string {
  return `ssh-keygen -y -f ${shellQuote(privatePath)} > ${shellQuote(`${privatePath}.pub`)}`;
}
