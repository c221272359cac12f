import { usageError } from '../cli-error.ts';
import { flagOption } from '../command.ts';
import type { Typed } from '../command.ts';

export type NodeOptions = { readonly name: string; readonly json: boolean };

export const nodeArgument = ['<node>', "the node's name"] as const;

export function parseNodeOptions(typed: Typed): NodeOptions {
  const [name = '', ...more] = typed.operands;
  if (more.length > 0 || typed.afterDashes) throw usageError('Only one node is taken.');
  return { name, json: flagOption(typed, 'json') };
}
