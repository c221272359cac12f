import { usageError } from '../cli-error.ts';
import { defineCommand, textOption } from '../command.ts';

export const serverStart = defineCommand({
  description:
    'Runs the server until SIGTERM. It starts a gateway and an agent as processes of their own, which go on without it.',
  examples: ['nexus server start', 'nexus server start --config /etc/nexus/server.yaml'],
  configure: (command) =>
    void command.option('--config <file>', 'its configuration (default: none; every key has a default)'),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { config: textOption(typed, 'config') };
  },
  failure: () => 'Could not run the server',
  interrupt: 'own',
  async run({ config }, { roles, programCommand, version }) {
    await roles.runServer({ config: await roles.loadServerConfig(config), programCommand, version });
  },
});
