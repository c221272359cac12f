import { defineCommand, jsonOption } from '../command.ts';
import { printResult } from '../terminal/print.ts';
import { waitAndTell } from '../workspace/wait-and-tell.ts';
import { called, connectToWorkspace, nameArgument, parseWorkspaceOptions } from '../workspace/workspace-command.ts';

export const workspaceUp = defineCommand({
  description: 'Starts a stopped workspace and waits until its services are healthy.',
  examples: ['nexus workspace up my-project'],
  configure: (command) =>
    void command
      .argument(...nameArgument)
      .option('--no-wait', 'do not wait until it runs')
      .option(...jsonOption),
  parse: (typed) => ({ ...parseWorkspaceOptions(typed), wait: typed.options['wait'] !== false }),
  failure: ({ name }) => `Could not start ${called(name)}`,
  interrupt: 'own',
  async run({ name, json, wait }, context) {
    const { client, workspace } = await connectToWorkspace(context, name);
    const start = () => client.call('startWorkspace', { params: { id: workspace.workspace_id } });
    if (!wait) {
      const answer = await start();
      printResult(context, answer, {
        json,
        text: () => `${workspace.name} is being started: nexus workspace status ${workspace.name} --watch\n`,
      });
      return;
    }
    // One that is on its way already is waited for: what was asked for is being done.
    if (workspace.status !== 'pending' && workspace.status !== 'creating') await start();
    await waitAndTell(context, client, { workspace, json });
  },
});
