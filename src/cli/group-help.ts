import { padEnd } from './terminal/text-width.ts';
import type { Output } from './terminal/output.ts';
import { paint } from './terminal/paint.ts';
import { visibleChildren, type CommandNode } from './command-node.ts';

/** Help of a word that other words follow. */
export function formatGroupHelp(node: CommandNode, words: string, output: Output): string {
  const isRoot = words === node.name;
  return [
    `Usage: ${words} COMMAND [options]\n\n`,
    `${node.summary}\n\n`,
    `${formatCommands(node, output)}\n`,
    isRoot ? `${formatExamples(output)}\n` : '',
    `${words} COMMAND --help says more about a command.\n`,
  ].join('');
}

export function formatCommands(node: CommandNode, output: Output): string {
  const children = visibleChildren(node);
  const width = Math.max(...children.map((child) => child.name.length));
  const lines = children.map((child) => `  ${padEnd(child.name, width)}  ${child.summary}\n`);
  return `${paint(output).bold('Commands:')}\n${lines.join('')}`;
}

function formatExamples(output: Output): string {
  const examples = ['nexus workspace create alice/my-project', 'nexus workspace create .', 'nexus ssh my-project'];
  return `${paint(output).bold('Examples:')}\n${examples.map((example) => `  ${example}\n`).join('')}`;
}
