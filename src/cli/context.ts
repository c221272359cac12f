import type { Readable } from 'node:stream';
import type { Output } from './terminal/output.ts';
import type { Roles } from './roles.ts';

/** Standard input, which is a terminal or not. */
export type Input = Readable & {
  readonly isTTY?: boolean;
  setRawMode?(mode: boolean): unknown;
};

export type Environment = Readonly<Record<string, string | undefined>>;

/** What a command gets from the process it runs in. */
export type CliContext = {
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  readonly cwd: string;
  readonly version: string;
  /** How this very program is run again, e.g. as an `ssh` ProxyCommand. */
  readonly programCommand: readonly string[];
  readonly roles: Roles;
  /** Aborted by Ctrl-C. */
  readonly interrupt: AbortSignal;
};
