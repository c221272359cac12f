import { execa } from 'execa';

export type CommandResult = {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
};

export type CommandOptions = {
  readonly timeoutMs: number;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly cwd?: string;
  readonly signal?: AbortSignal | undefined;
  /** Called with each line of stdout and stderr as it comes. */
  readonly onLine?: ((line: string) => void) | undefined;
};

/** A command that did not end with 0: its exit code (-1: could not be started, or was killed) and output. */
export class CommandError extends Error {
  readonly command: readonly string[];
  readonly result: CommandResult;
  readonly timedOut: boolean;

  constructor(command: readonly string[], result: CommandResult, options: { timedOut: boolean; cause?: unknown }) {
    const output = (result.stderr.trim() || result.stdout.trim()).split('\n').slice(-3).join('\n');
    const how = options.timedOut ? 'timed out' : `ended with ${result.exitCode}`;
    super(`${command.join(' ')} ${how}${output ? `: ${output}` : ''}`, { cause: options.cause });
    this.name = 'CommandError';
    this.command = command;
    this.result = result;
    this.timedOut = options.timedOut;
  }
}

/**
 * Runs a program without a shell and waits for it.
 * @throws CommandError when it ends with another code than 0, cannot be started, or outlasts `timeoutMs`
 */
export async function runCommand(command: readonly string[], options: CommandOptions): Promise<CommandResult> {
  const [file = '', ...args] = command;
  const child = execa(file, args, {
    reject: false,
    timeout: options.timeoutMs,
    forceKillAfterDelay: 2000,
    stripFinalNewline: true,
    ...(options.stdin === undefined ? { stdin: 'ignore' as const } : { input: options.stdin }),
    ...(options.env ? { env: { ...options.env } } : {}),
    ...(options.cwd ? { cwd: options.cwd } : {}),
    ...(options.signal ? { cancelSignal: options.signal } : {}),
  });
  if (options.onLine) {
    const { onLine } = options;
    // Each by itself: joined, a line of the one could be cut by a line of the other.
    const reportLines = async (from: 'stdout' | 'stderr'): Promise<void> => {
      for await (const line of child.iterable({ from })) onLine(line);
    };
    await Promise.allSettled([reportLines('stdout'), reportLines('stderr')]);
  }
  const outcome = await child;
  const result = { exitCode: outcome.exitCode ?? -1, stdout: outcome.stdout, stderr: outcome.stderr };
  if (outcome.failed) throw new CommandError(command, result, { timedOut: outcome.timedOut, cause: outcome.cause });
  return result;
}
