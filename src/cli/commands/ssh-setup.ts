import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption, textOption } from '../command.ts';
import { connect } from '../server/connect.ts';
import { setUpSshKey } from '../ssh/set-up-key.ts';
import { refreshSshConfig } from '../ssh/write-ssh-config.ts';
import { printResult } from '../terminal/print.ts';

export const sshSetup = defineCommand({
  description: 'Finds your SSH key, or makes one, and registers its public half with the server.',
  examples: [
    'nexus ssh setup',
    'nexus ssh setup --key-path ~/.ssh/work',
    'nexus ssh setup --key-path SHA256:Zyesx8bpMStOaLWyzqspOI6bPWKhq0Gf9hjZXgdUaWY',
    'nexus ssh setup --generate --key-path ~/.ssh/nexus',
  ],
  configure(command) {
    command
      .option(
        '--key-path <path>',
        'the private key, the .pub of one that ssh-agent holds, or its fingerprint (default: id_ed25519, id_ecdsa, id_rsa, id_ed25519_sk or id_ecdsa_sk in ~/.ssh, else the first of ssh-agent)',
      )
      .option('--generate', 'make a new ed25519 key there')
      .option('-y, --yes', 'replace another registered key without asking')
      .option(...jsonOption);
  },
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return {
      keyPath: textOption(typed, 'keyPath'),
      generate: flagOption(typed, 'generate'),
      yes: flagOption(typed, 'yes'),
      json: flagOption(typed, 'json'),
    };
  },
  failure: () => 'Could not set up your SSH key',
  async run(options, context) {
    const client = await connect(context);
    const { key, view } = await setUpSshKey(context, client, options);
    await refreshSshConfig(context, client);
    printResult(context, view, {
      json: options.json,
      text: () =>
        `${key.path} (${view.ssh_pubkey_fingerprint}) is the key of ${view.github_username}.\nNext: nexus ssh config\n`,
    });
  },
});
