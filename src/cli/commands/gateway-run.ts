import { usageError } from '../cli-error.ts';
import { defineCommand, textOption } from '../command.ts';

export const gatewayRun = defineCommand({
  description:
    'Runs the gateway until SIGTERM; then it takes no more connections and lives on until the open ones end.',
  examples: ['nexus gateway run --server http://127.0.0.1:3001 --state-dir /var/lib/nexus/gateway'],
  configure(command) {
    command
      .requiredOption('--server <url>', "the server's address")
      .requiredOption('--state-dir <folder>', 'where it keeps its key and its routes')
      .option('--host <host>', "where the workspaces' ports listen", '0.0.0.0')
      .option('--stream-host <host>', 'where agents are listened for', '127.0.0.1')
      .option('--stream-port <port>', 'the port for agents (0: any)', '0')
      .option('--token <token>', 'the one-time token, the first time (or NEXUS_JOIN_TOKEN)');
  },
  parse(typed) {
    const text = (name: string): string => textOption(typed, name) ?? '';
    const streamPort = Number(text('streamPort'));
    if (!Number.isInteger(streamPort) || streamPort < 0 || streamPort > 65_535)
      throw usageError(`${text('streamPort')} is not a port.`);
    return {
      serverUrl: text('server'),
      stateDir: text('stateDir'),
      host: text('host'),
      streamHost: text('streamHost'),
      streamPort,
      token: textOption(typed, 'token'),
    };
  },
  failure: () => 'Could not run the gateway',
  interrupt: 'own',
  async run({ token, ...options }, { roles, env, version }) {
    await roles.runGateway({ ...options, joinToken: token ?? (env['NEXUS_JOIN_TOKEN'] || undefined), version });
  },
});
