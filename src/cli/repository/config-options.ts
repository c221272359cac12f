import { resolve } from 'node:path';
import { CliError, usageError } from '../cli-error.ts';
import { flagOption } from '../command.ts';
import type { Typed } from '../command.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { expandHome } from '../files/nexus-paths.ts';
import { isFolder } from '../git/local-repository.ts';
import { askGit } from '../git/run-git.ts';

export const folderArgument = ['[folder]', 'the repository (default: the one that the current folder is in)'] as const;

export type FolderOptions = { readonly folder: string | undefined; readonly json: boolean };

export function parseFolderOptions(typed: Typed): FolderOptions {
  const [folder, ...more] = typed.operands;
  if (more.length > 0 || typed.afterDashes) throw usageError('Only one folder is taken.');
  return { folder, json: flagOption(typed, 'json') };
}

/** The named folder; else the repository around the current one, and without git the current one. */
export async function chosenFolder(
  context: Pick<CliContext, 'cwd' | 'env'>,
  folder: string | undefined,
): Promise<string> {
  if (folder === undefined) return (await askGit(context.cwd, ['rev-parse', '--show-toplevel'])) ?? context.cwd;
  const path = resolve(context.cwd, expandHome(folder, context.env));
  if (!(await isFolder(path))) {
    throw new CliError(`There is no folder ${path}.`, {
      exitCode: exitCodes.notFound,
      title: 'Could not read the repository',
      next: 'nexus config --help',
    });
  }
  return path;
}
