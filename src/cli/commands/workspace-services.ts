import { defineCommand, jsonOption } from '../command.ts';
import { printResult } from '../terminal/print.ts';
import { called, connectToWorkspace, nameArgument, parseWorkspaceOptions } from '../workspace/workspace-command.ts';
import { servicesText } from '../workspace/workspace-text.ts';

export const workspaceServices = defineCommand({
  description: 'Shows the services of a workspace, their health and how to reach them.',
  examples: ['nexus workspace services my-project'],
  configure: (command) => void command.argument(...nameArgument).option(...jsonOption),
  parse: parseWorkspaceOptions,
  failure: ({ name }) => `Could not show the services of ${called(name)}`,
  async run({ name, json }, context) {
    const { client, workspace } = await connectToWorkspace(context, name);
    const { services } = await client.call('listWorkspaceServices', { params: { id: workspace.workspace_id } });
    printResult(context, services, {
      json,
      text: (all) => servicesText(all, { workspace: workspace.name, output: context.stdout }),
    });
  },
});
