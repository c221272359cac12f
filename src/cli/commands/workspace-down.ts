import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { refreshSshConfig } from '../ssh/write-ssh-config.ts';
import { printResult } from '../terminal/print.ts';
import { stopWorkspace } from '../workspace/stop-workspace.ts';
import { called, connectToWorkspace, nameArgument, parseWorkspaceOptions } from '../workspace/workspace-command.ts';

export const workspaceDown = defineCommand({
  description: 'Stops a workspace: the pre_stop hook, its services, then the container. Its files and ports stay.',
  examples: ['nexus workspace down my-project', 'nexus workspace down my-project --force'],
  configure: (command) =>
    void command
      .argument(...nameArgument)
      .option('--force', 'at once, without hook and grace')
      .option(...jsonOption),
  parse: (typed) => ({ ...parseWorkspaceOptions(typed), force: flagOption(typed, 'force') }),
  failure: ({ name }) => `Could not stop ${called(name)}`,
  interrupt: 'own',
  async run({ name, json, force }, context) {
    const { client, workspace } = await connectToWorkspace(context, name);
    const stopped = await stopWorkspace(context, client, { workspace, force });
    await refreshSshConfig(context, client);
    printResult(context, stopped, {
      json,
      text: () => `${workspace.name} is stopped: nexus workspace up ${workspace.name} starts it again\n`,
    });
  },
});
