import { repositoryConfigJsonSchema } from '../../contract/repository-config.ts';
import { usageError } from '../cli-error.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { printJson } from '../terminal/print.ts';

export const configSchema = defineCommand({
  description: 'Prints the JSON Schema of .nexus/config.yaml, for editors.',
  examples: ['nexus config schema > .nexus/config.schema.json'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return {};
  },
  failure: () => 'Could not print the schema',
  run: (_options, context) => Promise.resolve(printJson(context.stdout, repositoryConfigJsonSchema())),
});
