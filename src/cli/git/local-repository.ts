/** A folder on this machine as a repository to take along: what of it is committed, and what is not. */
import { stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename } from 'node:path';
import { CliError, failure } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import { shellQuote } from '../terminal/format.ts';
import { canonicalRepository, localOwner, ownerAndName, withoutCredentials } from './repository-reference.ts';
import { askGit, runGit } from './run-git.ts';

export type LocalRepository = {
  readonly folder: string;
  /** Of the repository that the folder is in. */
  readonly topLevel: string;
  /** The folder within it, ending in `/`; empty when it is the whole repository. */
  readonly prefix: string;
  readonly head: string;
  /** Null: the head is detached. */
  readonly branch: string | null;
  readonly isShallow: boolean;
  /** What is taken is what is checked out here. */
  readonly isCheckedOut: boolean;
  /** Files that differ from the commit, untracked ones too, within the folder; none when it is not checked out. */
  readonly changedFiles: readonly string[];
  readonly owner: string;
  readonly name: string;
  /** Where it came from; null for a folder of a repository, and without a remote. */
  readonly originUrl: string | null;
};

export async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/**
 * @param options.revision a branch, tag or commit to take instead of what is checked out
 * @throws CliError when the folder is not in a git repository, or nothing of it is committed
 */
export async function inspectLocalRepository(
  folder: string,
  options: { revision?: string } = {},
): Promise<LocalRepository> {
  const [topLevel, prefix] = await whereInRepository(folder);
  const { head, branch } = await chosenCommit(folder, options.revision);
  if (prefix !== '' && (await askGit(folder, ['rev-parse', '--verify', '--quiet', `${head}:${prefix}`])) === null)
    throw nothingCommitted(folder);
  const isCheckedOut = head === (await commitOf(folder, 'HEAD'));
  const [shallow, origin, changedFiles] = await Promise.all([
    askGit(folder, ['rev-parse', '--is-shallow-repository']),
    prefix === '' ? askGit(folder, ['remote', 'get-url', 'origin']) : null,
    isCheckedOut ? listChangedFiles(folder) : [],
  ]);
  const originUrl = origin !== null && canonicalRepository(origin) !== null ? withoutCredentials(origin) : null;
  const { owner, name } = ownerAndName(
    originUrl === null ? `${localOwner}/${basename(folder)}` : originUrl.replace(':', '/'),
  );
  return {
    folder,
    topLevel,
    prefix,
    head,
    branch,
    isShallow: shallow === 'true',
    isCheckedOut,
    changedFiles,
    owner,
    name,
    originUrl,
  };
}

async function whereInRepository(folder: string): Promise<[topLevel: string, prefix: string]> {
  const { exitCode, stdout, stderr } = await runGit(folder, ['rev-parse', '--show-toplevel', '--show-prefix']);
  if (exitCode === 127) throw failure('There is no git on this machine.', { next: 'apt-get install git' });
  const [topLevel = '', prefix = ''] = stdout.split('\n');
  if (exitCode === 0 && topLevel !== '') return [topLevel, prefix];
  if (stderr.includes('dubious ownership')) {
    throw failure(`${folder} belongs to another user, so git does not read it.`, {
      next: `git config --global --add safe.directory ${shellQuote(folder)}`,
    });
  }
  throw failure(`${folder} is not in a git repository.`, {
    // A whole home, with its keys, is nothing to commit.
    next:
      folder === homedir()
        ? 'nexus up OWNER/REPO'
        : `cd ${shellQuote(folder)} && git init && git add -A && git commit -m 'First commit'`,
  });
}

async function chosenCommit(
  folder: string,
  revision: string | undefined,
): Promise<{ head: string; branch: string | null }> {
  if (revision === undefined) {
    const head = await commitOf(folder, 'HEAD');
    if (head === null) throw nothingCommitted(folder);
    return { head, branch: await askGit(folder, ['symbolic-ref', '--quiet', '--short', 'HEAD']) };
  }
  const ofBranch = await commitOf(folder, `refs/heads/${revision}`);
  const head = ofBranch ?? (await commitOf(folder, revision));
  if (head === null) {
    throw new CliError(`${folder} has no branch, tag or commit ${revision}.`, {
      exitCode: exitCodes.notFound,
      next: `git -C ${shellQuote(folder)} branch --all`,
    });
  }
  return { head, branch: ofBranch === null ? null : revision };
}

function commitOf(folder: string, revision: string): Promise<string | null> {
  return askGit(folder, ['rev-parse', '--verify', '--quiet', '--end-of-options', `${revision}^{commit}`]);
}

function nothingCommitted(folder: string): Error {
  return failure(`Nothing of ${folder} is committed yet, and the committed state is what goes into a workspace.`, {
    next: `cd ${shellQuote(folder)} && git add -A && git commit -m 'First commit'`,
  });
}

/** Each once, though git has two lines for one that was taken out of the index and is still there. */
async function listChangedFiles(folder: string): Promise<string[]> {
  const { stdout } = await runGit(folder, [
    'status',
    '--porcelain=v1',
    '-z',
    '--no-renames',
    '--untracked-files=all',
    '--',
    '.',
  ]);
  const paths = stdout.split('\0').map((line) => line.slice('XY '.length));
  return [...new Set(paths.filter(Boolean))];
}
