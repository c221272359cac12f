import { usageError } from '../cli-error.ts';
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
    configure: (command) => void command.argument('<shell>', Object.keys(shells).join(', ')),
    parse({ operands }) {
      const [shell = ''] = operands;
      const script = Object.hasOwn(shells, shell) ? shells[shell as keyof typeof shells] : undefined;
      if (script === undefined)
        throw usageError(`There is no completion for ${shell}; there is for ${Object.keys(shells).join(', ')}.`);
      return { script };
    },
    failure: () => 'Could not make the completion script',
    async run({ script }, context) {
      context.stdout.write(script(await completionModel(root)));
    },
  });
}
