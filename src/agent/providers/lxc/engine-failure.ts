import { NexusError } from '../../../contract/errors.ts';

/** What the engine answered instead of doing it: its HTTP-like status (0: none) and its own words. */
export class EngineFailure extends Error {
  readonly status: number;

  constructor({ status, message }: { status: number; message: string }) {
    super(message);
    this.name = 'EngineFailure';
    this.status = status;
  }
}

const brokeOff = 'it went away in the middle of a request';
const inWords: Readonly<Record<string, string>> = {
  ENOENT: 'no engine listens there',
  ECONNREFUSED: 'no engine listens there',
  EACCES: 'permission is denied',
  ECONNRESET: brokeOff,
  EPIPE: brokeOff,
};

export function engineUnreachable(socketPath: string, cause: unknown): NexusError<'provider_unavailable'> {
  const { code = '', message }: NodeJS.ErrnoException = cause instanceof Error ? cause : new Error(String(cause));
  const reason = `${socketPath}: ${inWords[code] ?? message}`;
  return new NexusError('provider_unavailable', { provider: 'lxc', reason }, { cause });
}

/** An engine's failure where nothing better can be said than that it does not do its work. */
export function unavailable(thrown: unknown): unknown {
  const error = (reason: string): NexusError => new NexusError('provider_unavailable', { provider: 'lxc', reason });
  return fromEngine(thrown, "the engine's disk", error);
}

export function isNotFound(thrown: unknown): boolean {
  return thrown instanceof EngineFailure && (thrown.status === 404 || /not found/i.test(thrown.message));
}

export function isAlreadyThere(thrown: unknown): boolean {
  return thrown instanceof EngineFailure && (thrown.status === 409 || /already exists/i.test(thrown.message));
}

/** The engine has the instance in another operation's hands (a start that still runs, say): worth another try. */
export function isBusy(thrown: unknown): boolean {
  const words = /\bbusy\b|operation .*(in progress|already running)|matching non-reusable operation/i;
  return thrown instanceof EngineFailure && words.test(thrown.message);
}

export function isDiskFull(thrown: unknown): boolean {
  const text = thrown instanceof Error ? thrown.message : '';
  return /no space left on device|disk quota exceeded|read-only file system/i.test(text);
}

/**
 * An engine's failure as one of ours, with the engine's own as its cause. A full disk is told apart whatever was
 * being done; for the rest the caller knows what it means.
 */
export function fromEngine(thrown: unknown, where: string, otherwise: (reason: string) => NexusError): unknown {
  if (!(thrown instanceof EngineFailure)) return thrown;
  if (isDiskFull(thrown)) return new NexusError('disk_full', { where }, { cause: thrown });
  // It still answers what only reads.
  if (/\b(?:shutting down|starting up)\b/i.test(thrown.message))
    return new NexusError('provider_unavailable', { provider: 'lxc', reason: thrown.message }, { cause: thrown });
  const error = otherwise(thrown.message);
  error.cause = thrown;
  return error;
}
