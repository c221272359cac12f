/** The folder on this machine that a repository is to be cloned to: nothing may be there but a clone of it. */
import { access, constants, readdir, realpath, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { CliError, failure, usageError } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { expandHome } from '../files/nexus-paths.ts';
import { shellQuote } from '../terminal/format.ts';
import { canonicalRepository, withoutCredentials } from './repository-reference.ts';
import { askGit, runGit } from './run-git.ts';

export type CloneTarget = {
  readonly folder: string;
  /** URLs of the clone that is there; null: nothing is there yet. */
  readonly remotes: readonly string[] | null;
  /** The command with another folder. */
  readonly elsewhere: string;
};

/**
 * @param wish what followed `--clone`; true: nothing did, and it is a folder of the repository's name
 * @throws CliError when something else is there, or nothing can be written there
 */
export async function findCloneTarget(
  wish: string | true,
  options: {
    repositoryName: string;
    isLocal: boolean;
    /** Without `--clone`. */
    command: string;
  },
  context: Pick<CliContext, 'cwd' | 'env'>,
): Promise<CloneTarget> {
  if (options.isLocal)
    throw usageError('The repository is a folder of this machine already, so that there is nothing to clone.', {
      next: options.command,
    });
  const folder = resolve(context.cwd, wish === true ? options.repositoryName : expandHome(wish, context.env));
  const elsewhere = `${options.command} --clone ${shellQuote(`${folder}-2`)}`;
  const found = await stat(folder).catch(() => null);
  if (found === null) {
    await assertWritable(await nearestThatIs(dirname(folder)));
    return { folder, remotes: null, elsewhere };
  }
  if (!found.isDirectory()) throw isTaken({ folder, elsewhere }, 'is a file');
  if ((await readdir(folder)).length === 0) {
    await assertWritable(folder);
    return { folder, remotes: null, elsewhere };
  }
  const topLevel = await askGit(folder, ['rev-parse', '--show-toplevel']);
  if (topLevel === null || topLevel !== (await realpath(folder)))
    throw isTaken({ folder, elsewhere }, 'holds other files');
  return { folder, remotes: await remotesOf(folder), elsewhere };
}

/** Whether nothing is there yet, or a clone that knows one of the URLs. */
export function isFreeOrCloneOf({ remotes }: CloneTarget, urls: readonly string[]): boolean {
  const wanted = urls.map(canonical);
  return remotes === null || remotes.some((remote) => wanted.includes(canonical(remote)));
}

/** @throws CliError when a clone of another repository is there */
export function assertFreeOrCloneOf(target: CloneTarget, urls: readonly string[]): void {
  if (isFreeOrCloneOf(target, urls)) return;
  const of = target.remotes?.[0];
  throw isTaken(
    target,
    of === undefined ? 'is a repository that was cloned from nowhere' : `is a clone of ${withoutCredentials(of)}`,
  );
}

function canonical(url: string): string {
  return canonicalRepository(url) ?? url;
}

function isTaken({ folder, elsewhere }: Pick<CloneTarget, 'folder' | 'elsewhere'>, why: string): CliError {
  return new CliError(`${folder} ${why}, and nothing was cloned or made.`, {
    exitCode: exitCodes.conflict,
    next: elsewhere,
  });
}

async function remotesOf(folder: string): Promise<string[]> {
  const { stdout } = await runGit(folder, ['config', '--get-regexp', String.raw`^remote\..*\.url$`]);
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => line.slice(line.indexOf(' ') + 1));
}

async function nearestThatIs(folder: string): Promise<string> {
  const isThere = await access(folder).then(
    () => true,
    () => false,
  );
  return isThere || dirname(folder) === folder ? folder : nearestThatIs(dirname(folder));
}

async function assertWritable(folder: string): Promise<void> {
  await access(folder, constants.W_OK).catch((cause: unknown) => {
    throw failure(`The repository cannot be cloned to ${folder}: you may not write there.`, {
      next: `ls -ld ${shellQuote(folder)}`,
      cause,
    });
  });
}
