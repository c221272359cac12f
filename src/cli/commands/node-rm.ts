import { interrupted, usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { connect } from '../server/connect.ts';
import { nodeArgument, parseNodeOptions } from '../server/node-name.ts';
import { askYesNo } from '../terminal/ask.ts';
import { printResult } from '../terminal/print.ts';

export const nodeRm = defineCommand({
  description: 'Forgets a node that has no workspaces. It asks first. For administrators.',
  examples: ['nexus node rm node-2 --yes'],
  configure: (command) =>
    void command
      .argument(...nodeArgument)
      .option('-y, --yes', 'do not ask')
      .option(...jsonOption),
  parse: (typed) => ({ ...parseNodeOptions(typed), yes: flagOption(typed, 'yes') }),
  failure: ({ name }) => `Could not forget ${name}`,
  async run({ name, json, yes }, context) {
    const client = await connect(context);
    await client.call('getNode', { params: { name } });
    if (!yes) {
      const answer = await askYesNo(context, `Forget the node ${name}?`, { initial: 'no' });
      if (answer === undefined)
        throw usageError('Forgetting a node asks first, and there is no terminal to ask on.', {
          title: `Could not forget ${name}`,
          next: `nexus node rm ${name} --yes`,
        });
      if (!answer) throw interrupted(`${name} stays as it is.`);
    }
    await client.call('removeNode', { params: { name } });
    printResult(context, { name }, { json, text: () => `${name} is forgotten.\n` });
  },
});
