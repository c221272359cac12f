import { Command } from 'commander';
import { visibleChildren, type CommandNode } from '../command-node.ts';

/** What can follow some words of a command line. */
export type CompletionEntry = {
  /** Without `nexus`: `` for the root, `workspace`, `workspace create`. */
  readonly words: string;
  readonly children: readonly { readonly name: string; readonly summary: string }[];
  /** Long options, `--json`. */
  readonly options: readonly string[];
  /** The first operand is a workspace. */
  readonly takesWorkspace: boolean;
};

export async function completionModel(root: CommandNode): Promise<CompletionEntry[]> {
  return entriesOf(root, '');
}

async function entriesOf(node: CommandNode, words: string): Promise<CompletionEntry[]> {
  const command = new Command();
  const definition = await node.load?.();
  definition?.configure(command);
  const children = visibleChildren(node);
  const own: CompletionEntry = {
    words,
    children: children.flatMap(({ name, aliases = [], summary }) =>
      [name, ...aliases].map((one) => ({ name: one, summary })),
    ),
    options: ['--help', ...command.options.filter((option) => !option.hidden).flatMap((option) => option.long ?? [])],
    takesWorkspace: command.registeredArguments[0]?.name() === 'name',
  };
  const below = children.flatMap((child) =>
    [child.name, ...(child.aliases ?? [])].map((name) => entriesOf(child, words === '' ? name : `${words} ${name}`)),
  );
  return [own, ...(await Promise.all(below)).flat()];
}
