import { join } from 'node:path';
import { repositoryConfigPath } from '../../contract/repository-config.ts';
import { configText } from '../../core/config/config-text.ts';
import { resolveRepository } from '../../core/config/resolve-repository.ts';
import { createFileOnce, writeFileAtomic } from '../../lib/atomic-file.ts';
import { CliError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { exitCodes } from '../exit-codes.ts';
import { chosenFolder, folderArgument, parseFolderOptions } from '../repository/config-options.ts';
import { readFolder } from '../repository/read-folder.ts';
import { plural } from '../terminal/format.ts';
import { printResult } from '../terminal/print.ts';

export const configInit = defineCommand({
  description: `Writes ${repositoryConfigPath} from what the repository holds, to be read, changed and committed.`,
  examples: ['nexus config init', 'nexus config init --force'],
  configure: (command) =>
    void command
      .argument(...folderArgument)
      .option('--force', 'write over the file that is there')
      .option(...jsonOption),
  parse: (typed) => ({ ...parseFolderOptions(typed), force: flagOption(typed, 'force') }),
  failure: () => `Could not write ${repositoryConfigPath}`,
  async run({ folder, force, json }, context) {
    const root = await chosenFolder(context, folder);
    const { files, listing, executableHooks } = await readFolder(root);
    const detected = new Map([...files].filter(([path]) => path !== repositoryConfigPath));
    const config = resolveRepository(detected, listing, { executableHooks });
    const file = join(root, repositoryConfigPath);
    const text = configText(config);
    // A person's file, read by others of the repository: not as private as ours.
    const options = { mode: 0o644 };
    if (force) await writeFileAtomic(file, text, options);
    else if (!(await createFileOnce(file, text, options))) {
      throw new CliError(`${file} is there already, and is not overwritten.`, {
        exitCode: exitCodes.conflict,
        next: 'nexus config init --force',
      });
    }
    printResult(
      context,
      { file, config },
      {
        json,
        text: () =>
          [
            `${file} is written, with ${plural(config.services.length, 'service')}.\n`,
            ...config.notes.map((note) => `  ${note}\n`),
          ].join(''),
      },
    );
  },
});
