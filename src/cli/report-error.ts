/** The one place that prints errors: what failed, why, what to do next. */
import { ServerUnreachable } from '../contract/api-client.ts';
import { NexusError } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { CliError } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import type { Output } from './terminal/output.ts';
import { paint } from './terminal/paint.ts';

export type Failure = {
  readonly title: string;
  readonly why: string;
  readonly next: string | null;
  readonly exitCode: number;
};

const codesWithOwnExit: Partial<Record<ErrorCode, number>> = {
  invalid_request: exitCodes.wrongUse,
  timeout: exitCodes.timedOut,
  health_check_timeout: exitCodes.timedOut,
  container_not_ready: exitCodes.timedOut,
};

/** Where the catalogue's hint is for another way to sign in than the one there is. */
const ownHints: Partial<Record<ErrorCode, string>> = {
  unauthorized: 'export NEXUS_TOKEN="$(sudo cat /var/lib/nexus/local-token)"',
};

const exitOfStatus: Readonly<Record<number, number>> = {
  401: exitCodes.notSignedIn,
  404: exitCodes.notFound,
  409: exitCodes.conflict,
};

/** `title` is what the command was about to do, e.g. `Could not create workspace my-project`. */
export function describeFailure(thrown: unknown, title: string): Failure {
  if (thrown instanceof CliError) {
    return { title: thrown.title ?? title, why: thrown.message, next: thrown.next, exitCode: thrown.exitCode };
  }
  if (thrown instanceof ServerUnreachable) {
    return {
      title,
      why: thrown.message,
      next: nextWhenUnreachable(thrown.baseUrl),
      exitCode: exitCodes.serverUnreachable,
    };
  }
  if (thrown instanceof NexusError) {
    const code: ErrorCode = thrown.code;
    const exitCode = codesWithOwnExit[code] ?? exitOfStatus[thrown.status] ?? exitCodes.failed;
    return { title, why: whyOf(thrown), next: ownHints[code] ?? thrown.hint, exitCode };
  }
  return {
    title,
    why: `This is a fault of nexus itself: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    next: 'NEXUS_DEBUG=1 in front of the same command shows where',
    exitCode: exitCodes.failed,
  };
}

/** `internal` says nothing of its cause over the wire, but one that arose here still has it. */
function whyOf(error: NexusError): string {
  const { cause } = error;
  return error.code === 'internal' && cause instanceof Error ? `${error.message} ${cause.message}` : error.message;
}

function nextWhenUnreachable(baseUrl: string): string {
  const { hostname } = new URL(baseUrl);
  return ['localhost', '127.0.0.1', '[::1]'].includes(hostname) ? 'nexus server start' : 'nexus doctor';
}

/** What `work` throws, under a title that says more than the command could before. */
export async function withTitle<T>(title: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (thrown) {
    const { why, ...rest } = describeFailure(thrown, title);
    throw new CliError(why, { ...rest, cause: thrown });
  }
}

/** Prints the three lines and returns the exit code. With `NEXUS_DEBUG=1` the stack and its causes follow. */
export function reportError(thrown: unknown, options: { title: string; stderr: Output; debug: boolean }): number {
  const failure = describeFailure(thrown, options.title);
  const color = paint(options.stderr);
  const lines = [
    `${color.red('✖')} ${color.bold(failure.title)}`,
    ...failure.why.split('\n').map((line) => `  ${line}`),
    ...(failure.next === null ? [] : [`  ${color.cyan('→')} ${failure.next}`]),
  ];
  options.stderr.write(`${lines.join('\n')}\n`);
  if (options.debug) options.stderr.write(`${stackOf(thrown)}\n`);
  return failure.exitCode;
}

function stackOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const own = thrown.stack ?? thrown.message;
  return thrown.cause === undefined ? own : `${own}\ncaused by: ${stackOf(thrown.cause)}`;
}
