import { usageError } from '../cli-error.ts';
import { defineCommand } from '../command.ts';

export const relay = defineCommand({
  description:
    'Joins a TCP port on the loopback of the network namespace it runs in to the socket that the agent names.',
  examples: ['nexus relay 3000'],
  configure: (command) => void command.argument('<port>'),
  parse({ operands }) {
    const port = Number(operands[0]);
    if (!Number.isInteger(port) || port < 1 || port > 65_535) throw usageError(`${operands[0]} is not a port.`);
    return { port };
  },
  failure: ({ port }) => `Could not relay port ${port}`,
  interrupt: 'own',
  run: ({ port }, { roles }) => roles.runRelay(port),
});
