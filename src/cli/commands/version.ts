import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { printResult } from '../terminal/print.ts';

export const versionCommand = defineCommand({
  description: 'Prints the version.',
  examples: ['nexus version', 'nexus version --json'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not print the version',
  async run({ json }, context) {
    printResult(context, { version: context.version }, { json, text: ({ version }) => `nexus ${version}\n` });
  },
});
