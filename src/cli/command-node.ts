import type { AnyCommand } from './command.ts';

/** A word of a command line, and what may follow it. */
export type CommandNode = {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly summary: string;
  /** Left out of help and completion. */
  readonly hidden?: boolean;
  readonly children?: readonly CommandNode[];
  /** A node may have both children and a command of its own: `ssh config`, `ssh NAME`. */
  readonly load?: () => Promise<AnyCommand>;
};

export function visibleChildren(node: CommandNode): readonly CommandNode[] {
  return (node.children ?? []).filter((child) => child.hidden !== true);
}

export function childNamed(node: CommandNode, word: string): CommandNode | undefined {
  return node.children?.find((child) => child.name === word || child.aliases?.includes(word));
}
