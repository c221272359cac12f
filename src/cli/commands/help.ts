import { defineCommand } from '../command.ts';
import { runCli } from '../run-cli.ts';

export const help = defineCommand({
  description: 'Shows help of a command.',
  examples: ['nexus help workspace create'],
  configure: (command) => void command.argument('[command...]', 'its words'),
  parse: ({ operands }) => ({ words: operands }),
  failure: () => 'Could not show help',
  run: ({ words }, context) => runCli([...words, '--help'], context),
});
