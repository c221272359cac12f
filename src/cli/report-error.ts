/** The one place that prints errors: what failed, why, what to do next. */
import { dirname } from 'node:path';
import { ServerUnreachable } from '../contract/api-client.ts';
import { NexusError } from '../contract/errors.ts';
import type { ErrorCode } from '../contract/errors.ts';
import { version } from '../lib/version.ts';
import { CliError, interrupted } from './cli-error.ts';
import { exitCodes } from './exit-codes.ts';
import { shellQuote } from './terminal/format.ts';
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
    const endpoint = missingEndpoint(thrown);
    if (endpoint !== null) return { title, ...olderServer(endpoint), exitCode: exitCodes.failed };
    const code: ErrorCode = thrown.code;
    const exitCode = codesWithOwnExit[code] ?? exitOfStatus[thrown.status] ?? exitCodes.failed;
    return { title, why: whyOf(thrown), next: thrown.hint, exitCode };
  }
  if (isAbort(thrown)) return describeFailure(interrupted('The same command goes on from here.'), title);
  const ofFile = fileFailure(thrown);
  if (ofFile !== null) return { title, ...ofFile, exitCode: exitCodes.failed };
  return {
    title,
    why: `This is a fault of nexus itself: ${thrown instanceof Error ? thrown.message : String(thrown)}`,
    next: 'NEXUS_DEBUG=1 in front of the same command shows where',
    exitCode: exitCodes.failed,
  };
}

/** Commands ask for nothing that a server of their version does not have. */
function missingEndpoint(error: NexusError): string | null {
  if (error.code !== 'not_found') return null;
  const { kind, name } = (error as NexusError<'not_found'>).details;
  return kind === 'endpoint' ? name : null;
}

function olderServer(endpoint: string): { why: string; next: string } {
  return {
    why: `The server is older than this nexus (${version}): it does not know ${endpoint}. Whoever runs it has to update it.`,
    next: 'nexus server status',
  };
}

/** Ctrl-C while something was waited for that says no more of it. A time limit is another error. */
function isAbort(thrown: unknown): boolean {
  return thrown instanceof Error && thrown.name === 'AbortError';
}

const fileProblems: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission is denied',
  EPERM: 'it is not permitted',
  EROFS: 'the file system is read-only',
  ENOSPC: 'the disk is full',
  EDQUOT: 'the disk quota is used up',
  ENOTDIR: 'a part of the path is a file',
  EEXIST: 'a file is in its place',
};

/** What the operating system refused to do with a file here; null when it is nothing of the kind. */
function fileFailure(thrown: unknown): { why: string; next: string } | null {
  if (!(thrown instanceof Error)) return null;
  const { code, path, syscall } = thrown as NodeJS.ErrnoException;
  // A program that is missing is told of by the command that wants it.
  if (syscall?.startsWith('spawn')) return null;
  const problem = fileProblems[code ?? ''];
  if (problem === undefined || path === undefined) return null;
  // Files are written beside their place first, under a name that says nothing to a person.
  const isTemporary = path.endsWith('.tmp');
  const folder = dirname(path);
  const why = isTemporary ? `${folder} cannot be written to: ${problem}.` : `${path}: ${problem}.`;
  if (code === 'EEXIST') return { why, next: `ls -ld ${shellQuote(path)}` };
  const showsSpace = code === 'ENOSPC' || code === 'EDQUOT';
  return { why, next: `${showsSpace ? 'df -h' : 'ls -ld'} ${shellQuote(folder)}` };
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
