import { Argument } from 'commander';
import type { CommandNode } from '../command-node.ts';
import { defineCommand, type AnyCommand } from '../command.ts';
import { completionModel } from '../completion/completion-model.ts';
import { shells } from '../completion/shells.ts';

/** The scripts know all that follows `root`. */
export function completionOf(root: CommandNode): AnyCommand {
  return defineCommand({
    description: 'Prints the completion script of a shell.',
    examples: [
      'source <(nexus completion bash)',
      'nexus completion zsh > "${fpath[1]}/_nexus"',
      'nexus completion fish > ~/.config/fish/completions/nexus.fish',
    ],
    configure: (command) => void command.addArgument(new Argument('<shell>', 'whose').choices(Object.keys(shells))),
    parse: ({ operands: [shell] }) => ({ script: shells[shell as keyof typeof shells] }),
    failure: () => 'Could not make the completion script',
    async run({ script }, context) {
      context.stdout.write(script(await completionModel(root)));
    },
  });
}
