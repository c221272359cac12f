import { Command } from 'commander';
import type { Argument, Option } from 'commander';
import { visibleChildren, type CommandNode } from '../command-node.ts';

/** What can stand in a place: names that the server knows, one of some words, or what only the person knows. */
export type Values =
  | { readonly of: 'workspace' | 'node' | 'service' | 'unknown' }
  | { readonly of: 'words'; readonly words: readonly string[] };

/** What can follow some words of a command line. */
export type CompletionEntry = {
  /** Without `nexus`: `` for the root, `workspace`, `workspace create`. */
  readonly words: string;
  readonly children: readonly { readonly name: string; readonly summary: string }[];
  /** Long options, `--json`; `value` is null for one that takes none, or may be without. */
  readonly options: readonly { readonly name: string; readonly value: Values | null }[];
  readonly operands: readonly Values[];
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
    options: [{ name: '--help', value: null }, ...command.options.filter(({ hidden }) => !hidden).flatMap(optionOf)],
    operands: command.registeredArguments.map(operandOf),
  };
  const below = children.flatMap((child) =>
    [child.name, ...(child.aliases ?? [])].map((name) => entriesOf(child, words === '' ? name : `${words} ${name}`)),
  );
  return [own, ...(await Promise.all(below)).flat()];
}

function optionOf(option: Option): CompletionEntry['options'] {
  if (option.long === undefined) return [];
  if (option.long === '--service') return [{ name: option.long, value: { of: 'service' } }];
  return [{ name: option.long, value: option.required ? wordsOr('unknown', option.argChoices) : null }];
}

function operandOf(argument: Argument): Values {
  const name = argument.name();
  const of = name === 'name' ? 'workspace' : name === 'node' || name === 'service' ? name : 'unknown';
  return wordsOr(of, argument.argChoices);
}

function wordsOr(of: 'workspace' | 'node' | 'service' | 'unknown', words: readonly string[] | undefined): Values {
  return words === undefined ? { of } : { of: 'words', words };
}
