import { nearest } from '../core/nearest.ts';
import { usageError } from './cli-error.ts';
import { childNamed, visibleChildren, type CommandNode } from './command-node.ts';

export type FoundCommand = {
  readonly node: CommandNode;
  /** The words that led to it, e.g. `nexus workspace create`. */
  readonly words: string;
  /** What follows them. */
  readonly rest: readonly string[];
};

/**
 * Follows the words of a command line down the registry, as far as they name commands.
 * @throws CliError of wrong use, with the nearest words, where a word names none and none would take it
 */
export function findCommand(root: CommandNode, args: readonly string[]): FoundCommand {
  let node = root;
  let words = root.name;
  let index = 0;
  for (; node.children !== undefined; index++) {
    const word = args[index];
    if (word === undefined || word.startsWith('-')) break;
    const child = childNamed(node, word);
    if (child === undefined) {
      if (node.load !== undefined) break;
      throw unknownCommand(node, words, word);
    }
    node = child;
    words += ` ${child.name}`;
  }
  return { node, words, rest: args.slice(index) };
}

function unknownCommand(node: CommandNode, words: string, word: string): Error {
  const places = visibleChildren(node)
    .filter((child) => child.load === undefined && childNamed(child, word))
    .map((child) => `${words} ${child.name} ${word}`);
  if (places.length > 0) {
    return usageError(`There is no command ${words} ${word}. Did you mean ${places.join(' or ')}?`, {
      title: `Unknown command ${word}`,
      next: `${places[0]} --help`,
    });
  }
  const names = visibleChildren(node).flatMap((child) => [child.name, ...(child.aliases ?? [])]);
  const [best, ...others] = nearest(word, names);
  const meant = best === undefined ? '' : ` Did you mean ${[best, ...others].join(' or ')}?`;
  return usageError(`There is no command ${words} ${word}.${meant}`, {
    title: `Unknown command ${word}`,
    next: best === undefined ? `${words} --help` : `${words} ${best}`,
  });
}
