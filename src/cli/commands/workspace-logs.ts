import { NexusError } from '../../contract/errors.ts';
import { hookNames } from '../../contract/service-spec.ts';
import type { WorkspaceView } from '../../contract/workspace.ts';
import { nearest } from '../../core/nearest.ts';
import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption, textOption } from '../command.ts';
import { printJson } from '../terminal/print.ts';
import { followLogs } from '../workspace/follow-logs.ts';
import { called, connectToWorkspace, nameArgument } from '../workspace/workspace-command.ts';

const defaultLines = 100;
const mostLines = 10_000;

export const workspaceLogs = defineCommand({
  description: 'Prints the logs of the services and hooks of a workspace; with --follow until Ctrl-C.',
  examples: [
    'nexus workspace logs my-project',
    'nexus workspace logs my-project web --follow',
    'nexus workspace logs my-project --service pre_start --lines 500',
  ],
  configure(command) {
    command
      .argument(...nameArgument)
      .argument('[service]', 'one service, or a hook such as pre_start (default: all)')
      .option('--service <service>', 'the same')
      .option('-f, --follow', 'go on with new lines')
      .option('--lines <n>', `how many lines of what is there (default: ${defaultLines})`)
      .option(...jsonOption);
  },
  parse(typed) {
    const [name, service, ...more] = typed.operands;
    const named = textOption(typed, 'service');
    if (more.length > 0 || typed.afterDashes || (service !== undefined && named !== undefined))
      throw usageError('Only one service is taken.');
    const options = {
      name,
      service: service ?? named,
      follow: flagOption(typed, 'follow'),
      json: flagOption(typed, 'json'),
      lines: parseLines(textOption(typed, 'lines')),
    };
    if (options.json && options.follow) throw usageError('--json prints one value, so it does not go with --follow.');
    return options;
  },
  failure: ({ name }) => `Could not get the logs of ${called(name)}`,
  interrupt: 'own',
  async run({ name, service, follow, lines, json }, context) {
    const { client, workspace } = await connectToWorkspace(context, name);
    if (service !== undefined) checkService(workspace, service);
    const query = { lines, ...(service === undefined ? {} : { service }) };
    if (follow) {
      await followLogs(context, client, { workspace, query });
      return;
    }
    const all = await Array.fromAsync(client.logs(workspace.workspace_id, query));
    if (json) printJson(context.stdout, all);
    else context.stdout.write(all.map((line) => `${line}\n`).join(''));
  },
});

function parseLines(text: string | undefined): number {
  const lines = text === undefined ? defaultLines : Number(text);
  if (Number.isInteger(lines) && lines >= 0 && lines <= mostLines) return lines;
  throw usageError(`--lines is a number from 0 to ${mostLines}, not ${text}.`);
}

/** @throws NexusError not_found with the nearest names */
function checkService(workspace: WorkspaceView, service: string): void {
  const known: readonly string[] = [...Object.keys(workspace.services), ...hookNames];
  if (known.includes(service)) return;
  throw new NexusError('not_found', {
    kind: 'service',
    name: service,
    nearest: nearest(service, known),
    workspace: workspace.name,
  });
}
