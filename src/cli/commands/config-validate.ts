import { NexusError } from '../../contract/errors.ts';
import { repositoryConfigPath } from '../../contract/repository-config.ts';
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
    const { services } = checked(() => resolveRepository(contents.files, contents.listing, contents));
    printResult(
      context,
      { file: repositoryConfigPath, valid: true },
      { json, text: () => `${repositoryConfigPath} is valid: ${plural(services.length, 'service')}.\n` },
    );
  },
});

/** What is wrong is told already: the way on is what would be right, not to validate. */
function checked<T>(resolve: () => T): T {
  try {
    return resolve();
  } catch (error) {
    const isOfConfig = error instanceof NexusError && ['config_invalid', 'dependency_cycle'].includes(error.code);
    if (isOfConfig) throw failure(error.message, { next: 'nexus config schema', cause: error });
    throw error;
  }
}
