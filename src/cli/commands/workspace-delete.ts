import { interrupted, usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { refreshSshConfig } from '../ssh/write-ssh-config.ts';
import { askYesNo } from '../terminal/ask.ts';
import { printResult } from '../terminal/print.ts';
import { deleteWorkspace } from '../workspace/stop-workspace.ts';
import { unsavedWork } from '../workspace/unsaved-work.ts';
import { called, connectToWorkspace, nameArgument, parseWorkspaceOptions } from '../workspace/workspace-command.ts';

export const workspaceDelete = defineCommand({
  description: 'Deletes a workspace and its files. It asks first, and says what would be lost.',
  examples: ['nexus workspace delete my-project', 'nexus workspace delete my-project --yes'],
  configure: (command) =>
    void command
      .argument(...nameArgument)
      .option('-y, --yes', 'do not ask')
      .option(...jsonOption),
  parse: (typed) => ({ ...parseWorkspaceOptions(typed), yes: flagOption(typed, 'yes') }),
  failure: ({ name }) => `Could not delete ${called(name)}`,
  interrupt: 'own',
  async run({ name, json, yes }, context) {
    const { client, workspace } = await connectToWorkspace(context, name);
    for (const line of await unsavedWork(client, workspace, context.interrupt)) context.stderr.write(`! ${line}\n`);
    if (!yes) {
      const answer = await askYesNo(context, `Delete ${workspace.name} and its files?`, { initial: 'no' });
      if (answer === undefined) {
        throw usageError('Deleting asks first, and there is no terminal to ask on.', {
          title: `Could not delete ${workspace.name}`,
          next: `nexus workspace delete ${workspace.name} --yes`,
        });
      }
      if (!answer) throw interrupted(`${workspace.name} stays as it is.`);
    }
    await deleteWorkspace(context, client, workspace);
    await refreshSshConfig(context, client);
    const { workspace_id } = workspace;
    printResult(
      context,
      { workspace_id, name: workspace.name },
      { json, text: () => `${workspace.name} is deleted.\n` },
    );
  },
});
