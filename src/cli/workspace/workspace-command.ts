import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { usageError } from '../cli-error.ts';
import { flagOption } from '../command.ts';
import type { Typed } from '../command.ts';
import type { CliContext } from '../context.ts';
import { connect } from '../server/connect.ts';
import { resolveWorkspace } from './resolve-workspace.ts';

/** What most commands on one workspace take. */
export type WorkspaceOptions = { readonly name: string | undefined; readonly json: boolean };

export const nameArgument = [
  '[name]',
  'name or id of a workspace (default: that of this folder, or the only one)',
] as const;

/** @throws CliError of wrong use when there is more than a name */
export function parseWorkspaceOptions(typed: Typed): WorkspaceOptions {
  const [name, ...more] = typed.operands;
  if (more.length > 0 || typed.afterDashes) throw usageError('Only one workspace is taken.');
  return { name, json: flagOption(typed, 'json') };
}

export async function connectToWorkspace(
  context: CliContext,
  name: string | undefined,
): Promise<{ client: Client; workspace: WorkspaceView }> {
  const client = await connect(context);
  return { client, workspace: await resolveWorkspace(client, name, context.cwd) };
}

/** The workspace in a title such as `Could not stop my-project`. */
export function called(name: string | undefined): string {
  return name ?? 'the workspace';
}
