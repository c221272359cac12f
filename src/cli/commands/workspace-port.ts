import { usageError } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import type { Typed } from '../command.ts';
import { describeFailure } from '../report-error.ts';
import { forwardPort } from '../workspace/forward-port.ts';
import { called, connectToWorkspace, nameArgument } from '../workspace/workspace-command.ts';

export const workspacePort = defineCommand({
  description:
    'Forwards a port of this machine to one inside a workspace until Ctrl-C. It outlives restarts of the server and a sleep of this machine: connections made meanwhile wait.',
  examples: ['nexus workspace port my-project 5432', 'nexus workspace port my-project 3000:8080'],
  configure(command) {
    command
      .argument(...nameArgument)
      .argument('[port[:local]]', 'port inside, and the one here when it is another (0: any)')
      .usage('[name] <port[:local]>');
  },
  parse: parsePortOptions,
  failure: ({ name, port }) => `Could not forward port ${port} of ${called(name)}`,
  interrupt: 'own',
  async run({ name, port, localPort }, context) {
    const { client, workspace } = await connectToWorkspace(context, name);
    const warn = (text: string): void => context.stderr.write(`! ${text}\n`);
    const forward = await forwardPort(client, {
      workspaceId: workspace.workspace_id,
      port,
      localPort,
      elsewhere: `nexus workspace port ${workspace.name} ${port}:0`,
      signal: context.interrupt,
      onProblem: (error) => warn(describeFailure(error, '').why),
      onAway: (error) => warn(`${describeFailure(error, '').why} New connections wait until it is back.`),
      onBack: () => warn('The connection is back.'),
    });
    context.stdout.write(`127.0.0.1:${forward.localPort} is port ${port} of ${workspace.name}, until Ctrl-C\n`);
    await forward.closed;
  },
});

function parsePortOptions(typed: Typed): { name: string | undefined; port: number; localPort: number } {
  const { operands } = typed;
  const [name, ports] = operands.length === 1 ? [undefined, operands[0]] : operands;
  const match = /^(\d{1,5})(?::(\d{1,5}))?$/.exec(ports ?? '');
  const port = Number(match?.[1]);
  const localPort = Number(match?.[2] ?? match?.[1]);
  const isPort = port >= 1 && port <= 65_535 && localPort <= 65_535;
  if (!isPort || operands.length > 2 || typed.afterDashes)
    throw usageError(`${ports ?? 'Nothing'} is not a port: say PORT or PORT:LOCAL.`);
  return { name, port, localPort };
}
