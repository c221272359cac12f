import { Command, CommanderError } from 'commander';
import { CliError, usageError } from './cli-error.ts';
import type { AnyCommand, PreparedCommand, Typed } from './command.ts';
import type { Output } from './terminal/output.ts';

export type ParsedCommandLine =
  | { readonly kind: 'run'; readonly prepared: PreparedCommand }
  | { readonly kind: 'help'; readonly text: string };

/**
 * Reads what followed the command's words.
 * @throws CliError of wrong use
 */
export function parseCommandLine(
  definition: AnyCommand,
  options: { words: string; args: readonly string[]; stdout: Output },
): ParsedCommandLine {
  const { words, args, stdout } = options;
  const { beforeDashes, afterDashes } = splitAtDashes(args);
  const command = describeCommand(definition, words, stdout);
  // Help wins over whatever else is wrong with the line.
  if (beforeDashes.some((word) => word === '--help' || word === '-h'))
    return { kind: 'help', text: helpText(definition, command) };
  try {
    command.parse(beforeDashes, { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) throw wrongUse(error.message, words);
    throw error;
  }
  const typed = { operands: command.args, options: command.opts(), afterDashes };
  return { kind: 'run', prepared: prepare(definition, typed, words) };
}

/** What is wrong with words of which each is fine has a next step too. */
function prepare(definition: AnyCommand, typed: Typed, words: string): PreparedCommand {
  try {
    return definition.prepare(typed);
  } catch (error) {
    if (!(error instanceof CliError) || error.next !== null) throw error;
    throw usageError(error.message, { title: error.title ?? `Wrong use of ${words}`, next: `${words} --help` });
  }
}

function describeCommand(definition: AnyCommand, words: string, stdout: Output): Command {
  const command = new Command(words)
    .description(definition.description)
    .helpOption('-h, --help', 'show this help')
    .exitOverride()
    .configureOutput({
      writeErr: () => undefined,
      getOutHelpWidth: () => Math.min(stdout.columns(), 100),
      getOutHasColors: () => stdout.hasColor,
    })
    .configureHelp({ styleTitle: (title) => (stdout.hasColor ? `\u001B[1m${title}\u001B[22m` : title) })
    .action(() => undefined);
  definition.configure(command);
  return command;
}

function helpText(definition: AnyCommand, command: Command): string {
  const examples = definition.examples.map((example) => `  ${example}\n`).join('');
  return `${command.helpInformation()}\nExamples:\n${examples}`;
}

function splitAtDashes(args: readonly string[]): {
  beforeDashes: string[];
  afterDashes: readonly string[] | undefined;
} {
  const at = args.indexOf('--');
  return at === -1
    ? { beforeDashes: [...args], afterDashes: undefined }
    : { beforeDashes: args.slice(0, at), afterDashes: args.slice(at + 1) };
}

function wrongUse(message: string, words: string): Error {
  const why = message.replace(/^error: /, '').replace(/\n/, ' ');
  return usageError(`${why.charAt(0).toUpperCase()}${why.slice(1)}`, {
    title: `Wrong use of ${words}`,
    next: `${words} --help`,
  });
}
