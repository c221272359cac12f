import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { connect } from '../server/connect.ts';
import { printResult } from '../terminal/print.ts';
import { listAllWorkspaces } from '../workspace/resolve-workspace.ts';
import { workspaceListText } from '../workspace/workspace-text.ts';

export const workspaceList = defineCommand({
  description: 'Lists your workspaces.',
  examples: ['nexus workspace list', 'nexus workspace list --json'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not list the workspaces',
  async run({ json }, context) {
    const workspaces = await listAllWorkspaces(await connect(context));
    printResult(context, workspaces, {
      json,
      text: (all) =>
        all.length === 0
          ? 'You have no workspaces yet: nexus workspace create REPO\n'
          : workspaceListText(all, { output: context.stdout, nowMs: Date.now() }),
    });
  },
});
