import { exitCodes } from './exit-codes.ts';

type Options = {
  readonly exitCode: number;
  /** What failed; absent: what the command says of itself. */
  readonly title?: string;
  /** A command that works when pasted. */
  readonly next?: string | null;
  readonly cause?: unknown;
};

/** A failure on this machine, in a person's words. Failures of the server are `NexusError`s. */
export class CliError extends Error {
  readonly exitCode: number;
  readonly title: string | null;
  readonly next: string | null;

  constructor(why: string, options: Options) {
    super(why, { cause: options.cause });
    this.name = 'CliError';
    this.exitCode = options.exitCode;
    this.title = options.title ?? null;
    this.next = options.next ?? null;
  }
}

export function usageError(why: string, options: { next?: string; title?: string } = {}): CliError {
  return new CliError(why, { ...options, exitCode: exitCodes.wrongUse });
}

export function failure(
  why: string,
  options: { next?: string | null; title?: string; cause?: unknown } = {},
): CliError {
  return new CliError(why, { ...options, exitCode: exitCodes.failed });
}

/** Ctrl-C. `next` is how to come back to what goes on without us. */
export function interrupted(why = 'Nothing was left half done.', options: { next?: string } = {}): CliError {
  return new CliError(why, { ...options, title: 'Interrupted', exitCode: exitCodes.interrupted });
}
