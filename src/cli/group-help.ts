import { padEnd } from './terminal/text-width.ts';
import type { Output } from './terminal/output.ts';
import { paint } from './terminal/paint.ts';
import { visibleChildren } from './registry.ts';
import type { CommandNode } from './registry.ts';

/** Help of a word that other words follow. */
export function formatGroupHelp(node: CommandNode, words: string, output: Output): string {
  const color = paint(output);
  const children = visibleChildren(node);
  const width = Math.max(...children.map((child) => child.name.length));
  const isRoot = words === node.name;
  const lines = [
    `Usage: ${words} ${node.load === undefined ? 'COMMAND' : '[COMMAND]'} [options]`,
    '',
    node.summary,
    '',
    color.bold('Commands'),
    ...children.map((child) => `  ${padEnd(child.name, width)}  ${child.summary}`),
    '',
    ...(isRoot ? examples(color.bold('Examples')) : []),
    `${words} COMMAND --help says more about a command.`,
  ];
  return `${lines.join('\n')}\n`;
}

function examples(heading: string): string[] {
  return [
    heading,
    '  nexus workspace create alice/my-project',
    '  nexus workspace create .',
    '  nexus ssh my-project',
    '',
  ];
}
