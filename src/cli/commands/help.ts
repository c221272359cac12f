import type { CommandNode } from '../command-node.ts';
import { defineCommand, type AnyCommand } from '../command.ts';
import { runCli } from '../run-cli.ts';

export function helpOf(root: CommandNode): AnyCommand {
  return defineCommand({
    description: 'Shows help of a command.',
    examples: ['nexus help workspace create'],
    configure: (command) => void command.argument('[command...]', 'its words'),
    parse: ({ operands }) => ({ words: operands }),
    failure: () => 'Could not show help',
    run: ({ words }, context) => runCli(root, [...words, '--help'], context),
  });
}
