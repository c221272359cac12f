import { defineCommand, jsonOption } from '../command.ts';
import { printResult } from '../terminal/print.ts';
import { called, connectToWorkspace, nameArgument, parseWorkspaceOptions } from '../workspace/workspace-command.ts';
import { workspaceText } from '../workspace/workspace-text.ts';

export const workspaceShow = defineCommand({
  description: 'Shows all of a workspace: where it runs, its services, how to reach it.',
  examples: ['nexus workspace show my-project', 'nexus workspace show my-project --json'],
  configure: (command) => void command.argument(...nameArgument).option(...jsonOption),
  parse: parseWorkspaceOptions,
  failure: ({ name }) => `Could not show ${called(name)}`,
  async run({ name, json }, context) {
    const { workspace } = await connectToWorkspace(context, name);
    printResult(context, workspace, {
      json,
      text: (view) => workspaceText(view, { output: context.stdout, nowMs: Date.now() }),
    });
  },
});
