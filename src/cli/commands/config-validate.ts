import { NexusError } from '../../contract/errors.ts';
import { repositoryConfigPath } from '../../contract/repository-config.ts';
import type { ResolvedConfig } from '../../contract/service-spec.ts';
import { resolveRepository } from '../../core/config/resolve-repository.ts';
import { CliError, failure } from '../cli-error.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { chosenFolder, folderArgument, parseFolderOptions } from '../repository/config-options.ts';
import { readFolder } from '../repository/read-folder.ts';
import { plural } from '../terminal/format.ts';
import { printResult } from '../terminal/print.ts';

export const configValidate = defineCommand({
  description: `Checks ${repositoryConfigPath}. Every problem is told with its line and column.`,
  examples: ['nexus config validate', 'nexus config validate ../other-project'],
  configure: (command) => void command.argument(...folderArgument).option(...jsonOption),
  parse: parseFolderOptions,
  failure: () => `${repositoryConfigPath} is not valid`,
  async run({ folder, json }, context) {
    const contents = await readFolder(await chosenFolder(context, folder));
    if (!contents.files.has(repositoryConfigPath)) {
      throw new CliError(`There is no ${repositoryConfigPath} here.`, {
        exitCode: exitCodes.notFound,
        next: 'nexus config init',
      });
    }
    const resolve = (): ResolvedConfig => resolveRepository(contents.files, contents.listing, contents);
    const print = (verdict: Verdict, text: string): void => printResult(context, verdict, { json, text: () => text });
    const { services } = checked(resolve, (problems) => {
      if (json) print({ file: repositoryConfigPath, valid: false, problems }, '');
    });
    print(
      { file: repositoryConfigPath, valid: true, problems: [] },
      `${repositoryConfigPath} is valid: ${plural(services.length, 'service')}.\n`,
    );
  },
});

type Problem = { readonly path: string; readonly problem: string; readonly line?: number; readonly column?: number };
type Verdict = { readonly file: string; readonly valid: boolean; readonly problems: readonly Problem[] };

/** What is wrong is told already: the way on is what would be right, not to validate. */
function checked<T>(resolve: () => T, onInvalid: (problems: readonly Problem[]) => void): T {
  try {
    return resolve();
  } catch (error) {
    const problems = problemsOf(error);
    if (problems === null) throw error;
    onInvalid(problems);
    throw failure((error as Error).message, { next: 'nexus config schema', cause: error });
  }
}

/** Null when it is no fault of the configuration. */
function problemsOf(error: unknown): readonly Problem[] | null {
  if (!(error instanceof NexusError)) return null;
  if (error.code === 'config_invalid') return (error as NexusError<'config_invalid'>).details.problems;
  return error.code === 'dependency_cycle' ? [{ path: 'services', problem: error.message }] : null;
}
