import { isLoopback } from '../../lib/loopback.ts';
import { defineCommand, jsonOption } from '../command.ts';
import { connect } from '../server/connect.ts';
import { nodeArgument, parseNodeOptions } from '../server/node-name.ts';
import { printResult } from '../terminal/print.ts';

export const nodeToken = defineCommand({
  description:
    'Makes a one-time token and prints what to run on a machine that shall hold workspaces. For administrators.',
  examples: ['nexus node token node-2'],
  configure: (command) => void command.argument(...nodeArgument).option(...jsonOption),
  parse: parseNodeOptions,
  failure: ({ name }) => `Could not make a token for ${name}`,
  async run({ name, json }, context) {
    const client = await connect(context);
    const token = await client.call('createJoinToken', { body: { name } });
    const isLocal = isLoopback(new URL(client.baseUrl).hostname);
    printResult(context, token, {
      json,
      text: () =>
        [
          `Until ${token.expires_at}, as root on ${name}:\n\n`,
          '  nexus node setup\n',
          `  nexus agent start --server ${client.baseUrl} --name ${name} --token ${token.join_token}\n`,
          isLocal
            ? `\n${client.baseUrl} is this machine's own address: put the one by which ${name} reaches it in its place.\n`
            : '',
        ].join(''),
    });
  },
});
