import { padEnd } from './terminal/text-width.ts';
import type { Output } from './terminal/output.ts';
import { paint } from './terminal/paint.ts';
import { visibleChildren, type CommandNode } from './command-node.ts';

/** Help of a word that other words follow. */
export async function groupHelp(node: CommandNode, words: string, output: Output): Promise<string> {
  const examples = words === node.name ? rootExamples : await examplesBelow(node);
  return [
    `Usage: ${words} COMMAND [options]\n\n`,
    `${node.summary}\n\n`,
    `${formatCommands(node, output)}\n`,
    `${formatExamples(examples, output)}\n`,
    `${words} COMMAND --help says more about a command.\n`,
  ].join('');
}

export function formatCommands(node: CommandNode, output: Output): string {
  const children = visibleChildren(node);
  const width = Math.max(...children.map((child) => child.name.length));
  const lines = children.map((child) => `  ${padEnd(child.name, width)}  ${child.summary}\n`);
  return `${paint(output).bold('Commands:')}\n${lines.join('')}`;
}

const rootExamples = ['nexus workspace create alice/my-project', 'nexus workspace create .', 'nexus ssh my-project'];

const mostExamples = 3;

/** The first of each of the first commands. */
async function examplesBelow(node: CommandNode): Promise<string[]> {
  const children = visibleChildren(node).slice(0, mostExamples);
  const definitions = await Promise.all(children.map(async (child) => child.load?.()));
  return definitions.flatMap((definition) => definition?.examples.slice(0, 1) ?? []);
}

function formatExamples(examples: readonly string[], output: Output): string {
  return `${paint(output).bold('Examples:')}\n${examples.map((example) => `  ${example}\n`).join('')}`;
}
