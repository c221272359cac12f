import { isIPv4 } from 'node:net';
import { Option } from 'commander';
import { byteSize } from '../../contract/server-config.ts';
import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption, textOption } from '../command.ts';
import type { Typed } from '../command.ts';
import { requireRoot } from '../server/require-root.ts';
import { printResult } from '../terminal/print.ts';

const providers = ['lxc'] as const;

export const nodeSetup = defineCommand({
  description:
    'Makes this machine ready to hold workspaces: engine, storage, network, kernel limits, base image. What is there already stays. Needs root.',
  examples: [
    'sudo nexus node setup',
    'sudo nexus node setup --pool-size 50GB',
    'sudo nexus node setup --reach 192.168.1.20,10.8.0.0/16',
  ],
  configure(command) {
    command
      .addOption(new Option('--provider <provider>', 'what workspaces run on').choices(providers).default('lxc'))
      .option('--pool-size <size>', 'of the storage for workspaces, e.g. 50GB (default: what is sensible for the disk)')
      .option(
        '--reach <addresses>',
        'IPv4 addresses and networks beside this machine that workspaces may reach, with commas between them; "none" for none (default: what it was; at first none)',
      )
      .option(...jsonOption);
  },
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { poolBytes: parsePoolSize(typed), reach: parseReach(typed), json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not set this machine up',
  async run({ poolBytes, reach, json }, context) {
    requireRoot('nexus node setup');
    const steps = await context.roles.setUpNode({
      poolBytes,
      reach,
      onStep: (line) => context.stderr.write(`${line}\n`),
    });
    printResult(context, steps, { json, text: () => 'This machine is ready to hold workspaces.\n' });
  },
});

function parsePoolSize(typed: Typed): number | undefined {
  const text = textOption(typed, 'poolSize');
  if (text === undefined) return undefined;
  const size = byteSize.safeParse(text);
  if (size.success) return size.data;
  throw usageError(`--pool-size ${text}: ${size.error.issues[0]?.message}.`);
}

function parseReach(typed: Typed): string[] | undefined {
  const text = textOption(typed, 'reach');
  if (text === undefined) return undefined;
  if (text === 'none') return [];
  const networks = text.split(',');
  const wrong = networks.find((network) => !isNetwork(network));
  if (wrong === undefined) return networks;
  throw usageError(`--reach ${text}: '${wrong}' is not an IPv4 address or network such as 10.8.0.0/16.`);
}

function isNetwork(text: string): boolean {
  const [address = '', bits = '32', ...rest] = text.split('/');
  return isIPv4(address) && /^\d+$/.test(bits) && Number(bits) <= 32 && rest.length === 0;
}
