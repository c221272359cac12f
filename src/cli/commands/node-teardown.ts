import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption } from '../command.ts';
import { requireRoot } from '../server/require-root.ts';

export const nodeTeardown = defineCommand({
  description:
    'Removes all of Nexus from the engine of this machine: workspaces, images, storage, network. Nothing of anybody else.',
  examples: ['sudo nexus node teardown --yes'],
  configure: (command) => void command.option('-y, --yes', 'really'),
  parse(typed) {
    if (!flagOption(typed, 'yes'))
      throw usageError('This deletes every workspace of this machine.', { next: 'sudo nexus node teardown --yes' });
    return {};
  },
  failure: () => 'Could not remove Nexus from this machine',
  async run(_options, context) {
    requireRoot('nexus node teardown --yes');
    await context.roles.tearDownNode({ onStep: (line) => context.stderr.write(`${line}\n`) });
  },
});
