import type { Command } from 'commander';
import type { CliContext } from './context.ts';

/** What was typed: operands by place, options by name, and what stood after `--`. */
export type Typed = {
  readonly operands: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
  /** Absent when there was no `--`. */
  readonly afterDashes: readonly string[] | undefined;
};

/** A command: how it is written, what was typed read into options, and what it does with them. */
export type CommandDefinition<O> = {
  readonly description: string;
  /** Whole command lines. */
  readonly examples: readonly string[];
  /** Declares operands and options. */
  configure(command: Command): void;
  /** @throws CliError of wrong use */
  parse(typed: Typed): O;
  /** What to say first when it fails, e.g. `Could not create workspace my-project`. */
  failure(options: O): string;
  /** The exit code; nothing: 0. */
  run(options: O, context: CliContext): Promise<number | void>;
  /** `own`: the command itself ends on Ctrl-C, in its way. Otherwise it is left where it stands. */
  readonly interrupt?: 'own';
};

/** A command with its type of options closed over, so that commands of different options fit in one table. */
export type AnyCommand = {
  readonly description: string;
  readonly examples: readonly string[];
  configure(command: Command): void;
  prepare(typed: Typed): PreparedCommand;
};

export type PreparedCommand = {
  readonly failure: string;
  readonly interrupt: 'own' | 'leave';
  run(context: CliContext): Promise<number | void>;
};

export function defineCommand<O>(definition: CommandDefinition<O>): AnyCommand {
  return {
    description: definition.description,
    examples: definition.examples,
    configure: (command) => definition.configure(command),
    prepare(typed) {
      const options = definition.parse(typed);
      return {
        failure: definition.failure(options),
        interrupt: definition.interrupt ?? 'leave',
        run: (context) => definition.run(options, context),
      };
    },
  };
}

export const jsonOption = ['--json', 'print one JSON value'] as const;

/** An option's value as text, when it was given. */
export function textOption(typed: Typed, name: string): string | undefined {
  const value = typed.options[name];
  return typeof value === 'string' ? value : undefined;
}

export function flagOption(typed: Typed, name: string): boolean {
  return typed.options[name] === true;
}

/** That of an option whose value may be left out: then true. */
export function optionalTextOption(typed: Typed, name: string): string | true | undefined {
  return flagOption(typed, name) || textOption(typed, name);
}

export const cloneOption = [
  '--clone [folder]',
  "clone it to this machine too, after REPO (default: ./ and the repository's name)",
] as const;
