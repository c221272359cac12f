import { verdicts } from '../../core/lifecycle.ts';
import { defineCommand, jsonOption } from '../command.ts';
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
    if (verdicts[workspace.status].stop === 'yes') await stopWorkspace(context, client, { workspace, force: false });
    await client.call('startWorkspace', { params: { id: workspace.workspace_id } });
    await waitAndTell(context, client, { workspace, json });
  },
});
