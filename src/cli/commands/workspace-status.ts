import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { printResult } from '../terminal/print.ts';
import { describeFailure } from '../report-error.ts';
import { createRedraw } from '../terminal/redraw.ts';
import { endlessPatience } from '../workspace/follow-events.ts';
import { called, connectToWorkspace, nameArgument, parseWorkspaceOptions } from '../workspace/workspace-command.ts';
import { watchWorkspace } from '../workspace/watch-workspace.ts';
import { ownWarnings, problemText, servicesText, statusLine } from '../workspace/workspace-text.ts';

export const workspaceStatus = defineCommand({
  description: 'Says what a workspace does. With --watch it goes on saying so until Ctrl-C.',
  examples: ['nexus workspace status my-project', 'nexus workspace status my-project --watch'],
  configure: (command) =>
    void command
      .argument(...nameArgument)
      .option('--watch', 'go on, live')
      .option(...jsonOption),
  parse(typed) {
    const options = { ...parseWorkspaceOptions(typed), watch: flagOption(typed, 'watch') };
    if (options.watch && options.json) throw usageError('--json prints one value, so it does not go with --watch.');
    return options;
  },
  failure: ({ name }) => `Could not say how ${called(name)} is`,
  interrupt: 'own',
  async run({ name, json, watch }, context) {
    const { client, workspace } = await connectToWorkspace(context, name);
    if (watch) await watchStatus(context, client, workspace);
    else printResult(context, workspace, { json, text: (view) => statusText(view, context) });
  },
});

function statusText(view: WorkspaceView, { stdout }: Pick<CliContext, 'stdout'>): string {
  const problems = ownWarnings(view).map((line) => `! ${line}\n`);
  const services = Object.values(view.services);
  return [
    `${view.name}  ${statusLine(view, stdout)}\n`,
    ...problems,
    problemText(view.error, { workspace: view.name, output: stdout }),
    services.length === 0 ? '' : `\n${servicesText(services, { workspace: view.name, output: stdout })}`,
  ].join('');
}

/** Ends on Ctrl-C, which is how one leaves it, or with the workspace; a server that is away is waited for. */
async function watchStatus(context: CliContext, client: Client, workspace: WorkspaceView): Promise<void> {
  const redraw = createRedraw(context.stdout);
  let last = workspace;
  let isAway = false;
  try {
    await watchWorkspace(client, workspace.workspace_id, {
      isDone: () => false,
      onView(view) {
        last = view;
        isAway = false;
        redraw(statusText(view, context));
      },
      onAway(error) {
        if (!isAway) redraw(`${statusText(last, context)}! ${describeFailure(error, '').why} It is tried again.\n`);
        isAway = true;
      },
      patience: endlessPatience,
      signal: context.interrupt,
    });
  } catch (error) {
    if (context.interrupt.aborted) return;
    if (!(error instanceof NexusError && error.code === 'not_found')) throw error;
    context.stdout.write(`${workspace.name} is deleted.\n`);
  }
}
