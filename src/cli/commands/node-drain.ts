import { defineCommand, jsonOption } from '../command.ts';
import { connect } from '../server/connect.ts';
import { nodeArgument, parseNodeOptions } from '../server/node-name.ts';
import { printResult } from '../terminal/print.ts';

export const nodeDrain = defineCommand({
  description: 'Gives a node no new workspaces; those it has stay. For administrators.',
  examples: ['nexus node drain node-2'],
  configure: (command) => void command.argument(...nodeArgument).option(...jsonOption),
  parse: parseNodeOptions,
  failure: ({ name }) => `Could not drain ${name}`,
  async run({ name, json }, context) {
    const node = await (await connect(context)).call('drainNode', { params: { name } });
    printResult(context, node, {
      json,
      text: () => `${name} gets no new workspaces: nexus node resume ${name} undoes it\n`,
    });
  },
});

export const nodeResume = defineCommand({
  description: 'Gives a drained node new workspaces again. For administrators.',
  examples: ['nexus node resume node-2'],
  configure: (command) => void command.argument(...nodeArgument).option(...jsonOption),
  parse: parseNodeOptions,
  failure: ({ name }) => `Could not resume ${name}`,
  async run({ name, json }, context) {
    const node = await (await connect(context)).call('resumeNode', { params: { name } });
    printResult(context, node, { json, text: () => `${name} gets new workspaces again.\n` });
  },
});
