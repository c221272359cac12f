import { defineCommand, textOption } from '../command.ts';
import { usageError } from '../cli-error.ts';

export const agentStart = defineCommand({
  description: 'Runs the agent of this node until SIGTERM. Workspaces go on without it.',
  examples: ['nexus agent start --server https://nexus.example.com --name node-2 --token TOKEN'],
  configure(command) {
    command
      .requiredOption('--server <url>', "the server's address")
      .requiredOption('--name <name>', "the node's name")
      .option('--token <token>', 'the one-time token, the first time (or NEXUS_JOIN_TOKEN)')
      .option('--state-dir <folder>', 'where it keeps its key and its journal', '/var/lib/nexus/agent');
  },
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return {
      serverUrl: textOption(typed, 'server') ?? '',
      name: textOption(typed, 'name') ?? '',
      token: textOption(typed, 'token'),
      stateDir: textOption(typed, 'stateDir') ?? '',
    };
  },
  failure: ({ name }) => `Could not run the agent of ${name}`,
  interrupt: 'own',
  async run({ serverUrl, name, token, stateDir }, { roles, env, version, programCommand }) {
    const joinToken = token ?? (env['NEXUS_JOIN_TOKEN'] || undefined);
    await roles.runAgent({ serverUrl, name, stateDir, joinToken, version, relayCommand: [...programCommand, 'relay'] });
  },
});
