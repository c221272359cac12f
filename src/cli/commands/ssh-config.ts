import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { connect } from '../server/connect.ts';
import { hostAlias } from '../ssh/ssh-config-text.ts';
import { includeInUserConfig, writeSshConfig } from '../ssh/write-ssh-config.ts';
import { printResult } from '../terminal/print.ts';

export const sshConfig = defineCommand({
  description:
    'Writes the OpenSSH configuration of your workspaces and includes it in ~/.ssh/config: then ssh nexus-NAME, scp, rsync and editors work with no question asked.',
  examples: ['nexus ssh config', 'ssh nexus-my-project', 'scp notes.txt nexus-my-project:workspace/'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not write the SSH configuration',
  async run({ json }, context) {
    const paths = nexusPaths(context.env);
    const workspaces = await writeSshConfig(context, await connect(context));
    const isNew = await includeInUserConfig(paths);
    const hosts = workspaces.map((workspace) => hostAlias(workspace.name));
    printResult(
      context,
      { config: paths.sshConfigFile, known_hosts: paths.knownHostsFile, hosts },
      {
        json,
        text: ({ config }) =>
          [
            `${config} is written${isNew ? `, and included in ${paths.userSshConfigFile}` : ''}.\n`,
            ...hosts.map((host) => `  ssh ${host}\n`),
          ].join(''),
      },
    );
  },
});
