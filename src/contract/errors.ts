import { errorCatalogue } from './error-catalogue.ts';
import type { Entry } from './error-catalogue/entry.ts';

export type ErrorCode = keyof typeof errorCatalogue;
export type ErrorDetails<C extends ErrorCode> = Parameters<(typeof errorCatalogue)[C]['message']>[0];

/** The form of an error on every wire and in the database: `{ error, message, details, hint }`. */
export type ErrorBody = {
  readonly error: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
  readonly hint: string | null;
  readonly request_id?: string;
};

export class NexusError<C extends ErrorCode = ErrorCode> extends Error {
  readonly code: C;
  readonly details: ErrorDetails<C>;
  readonly hint: string | null;
  readonly status: number;
  /** The request that it answered, when it came from the server. */
  readonly requestId: string | null;

  /** `received`: what stood in an error that came over a wire, whose words are kept. */
  constructor(
    code: C,
    details: ErrorDetails<C>,
    options?: { cause?: unknown; received?: { message: string; hint: string | null; requestId: string | null } },
  ) {
    const entry = errorCatalogue[code] as unknown as Entry<ErrorDetails<C>>;
    const received = options?.received;
    super(
      received ? received.message : entry.message(details),
      options?.cause === undefined ? {} : { cause: options.cause },
    );
    this.name = 'NexusError';
    this.code = code;
    this.details = details;
    this.hint = received ? received.hint : entry.hint(details);
    this.status = entry.status;
    this.requestId = received?.requestId ?? null;
  }

  /** The wire form. The cause stays behind: it is for the log. */
  toBody(): ErrorBody {
    return {
      error: this.code,
      message: this.message,
      details: this.details,
      hint: this.hint,
    };
  }
}

function isErrorCode(text: string): text is ErrorCode {
  return Object.hasOwn(errorCatalogue, text);
}

/**
 * An error that came over a wire, as an exception again, in the sender's words. A code that only a newer sender
 * knows becomes `internal`, still in those words.
 */
export function fromBody(body: {
  error: string;
  message?: string;
  details?: unknown;
  hint?: string | null;
  request_id?: string;
}): NexusError {
  const known = isErrorCode(body.error);
  const { message } = body;
  const options =
    message === undefined ? {} : { received: { message, hint: body.hint ?? null, requestId: body.request_id ?? null } };
  return known
    ? new NexusError(body.error as ErrorCode, body.details ?? {}, options)
    : new NexusError('internal', {}, { ...options, cause: body });
}

/** Whatever was thrown, as one of ours; a stranger becomes `internal` with the cause kept for the log. */
export function toNexusError(thrown: unknown): NexusError {
  return thrown instanceof NexusError ? thrown : new NexusError('internal', {}, { cause: thrown });
}
