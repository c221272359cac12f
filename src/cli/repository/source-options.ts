import { Option } from 'commander';
import { usageError } from '../cli-error.ts';
import { flagOption, optionalTextOption, textOption, type Typed } from '../command.ts';

const providers = ['lxc', 'docker', 'qemu'] as const;

/** Of what a workspace is made, as it was typed. */
export type SourceOptions = {
  readonly name: string | undefined;
  readonly branch: string | undefined;
  readonly provider: (typeof providers)[number] | undefined;
  readonly image: string | undefined;
  readonly includeChanges: boolean;
  readonly fork: boolean;
  /** A folder; true: that of the repository's name. */
  readonly clone: string | true | undefined;
};

export function providerOption(): Option {
  return new Option('--provider <provider>', 'what it runs on').choices(providers);
}

/** @throws CliError of wrong use when there is more than a repository */
export function parseSourceOptions(typed: Typed): SourceOptions {
  if (typed.operands.length > 1 || typed.afterDashes) throw usageError('Only one repository is taken.');
  return {
    name: textOption(typed, 'name'),
    branch: textOption(typed, 'branch'),
    provider: providers.find((provider) => provider === typed.options['provider']),
    image: textOption(typed, 'image'),
    includeChanges: flagOption(typed, 'includeChanges'),
    fork: typed.options['fork'] !== false,
    clone: optionalTextOption(typed, 'clone'),
  };
}
