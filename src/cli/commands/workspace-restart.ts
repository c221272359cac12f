import type { Client } from '../../contract/api-client.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { verdicts } from '../../core/lifecycle.ts';
import { interrupted } from '../cli-error.ts';
import { defineCommand, jsonOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { stopWorkspace } from '../workspace/stop-workspace.ts';
import { waitAndTell } from '../workspace/wait-and-tell.ts';
import { called, connectToWorkspace, nameArgument, parseWorkspaceOptions } from '../workspace/workspace-command.ts';

export const workspaceRestart = defineCommand({
  description: 'Stops a workspace and starts it again. Its files and ports stay.',
  examples: ['nexus workspace restart my-project'],
  configure: (command) => void command.argument(...nameArgument).option(...jsonOption),
  parse: parseWorkspaceOptions,
  failure: ({ name }) => `Could not restart ${called(name)}`,
  interrupt: 'own',
  async run({ name, json }, context) {
    const { client, workspace } = await connectToWorkspace(context, name);
    if (verdicts[workspace.status].stop === 'yes') await stopFirst(context, client, workspace);
    await client.call('startWorkspace', { params: { id: workspace.workspace_id } });
    await waitAndTell(context, client, { workspace, json });
  },
});

/** The server knows of the stop alone: nobody starts what this command leaves stopped. */
async function stopFirst(context: CliContext, client: Client, workspace: WorkspaceView): Promise<void> {
  try {
    await stopWorkspace(context, client, { workspace, force: false });
  } catch (error) {
    if (!context.interrupt.aborted) throw error;
    throw interrupted(`${workspace.name} is stopped, and is not started again.`, {
      next: `nexus workspace up ${workspace.name}`,
    });
  }
}
