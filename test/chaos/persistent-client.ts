/** A client that takes no answer for an answer: it asks again until the server, whenever it is there, has said something. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Installation } from '../support/installation.ts';

export type Request = {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly bytes?: Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers that mean that it is so: statuses, or codes of errors (a repeated request finds its first done). */
  readonly accept: readonly (number | string)[];
};

const againAfterMs = 50;
/** As long as a stop may take, and more. */
const answerWithinMs = 200_000;

/** Null when it was given up. @throws when the server says anything else */
export async function askUntilAnswered<T>(
  nexus: Installation,
  request: Request,
  signal: AbortSignal,
): Promise<T | null> {
  while (!signal.aborted) {
    const answer = await ask(nexus, request).catch(() => null);
    if (answer) {
      const { status, text } = answer;
      const code = status >= 400 ? (JSON.parse(text) as { error: string }).error : status;
      if (request.accept.includes(code)) return (text === '' ? {} : JSON.parse(text)) as T;
      if (code !== 'shutting_down') throw new Error(`${request.method} ${request.path}: ${status} ${text}`);
    }
    await delay(againAfterMs, undefined, { signal }).catch(() => undefined);
  }
  return null;
}

async function ask(nexus: Installation, request: Request): Promise<{ status: number; text: string }> {
  const { method, path, body, bytes, headers } = request;
  const response = await fetch(`${nexus.url}/api/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${await nexus.token()}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...(bytes === undefined ? {} : { 'content-type': 'application/octet-stream' }),
      ...headers,
    },
    signal: AbortSignal.timeout(answerWithinMs),
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(bytes === undefined ? {} : { body: bytes }),
  });
  return { status: response.status, text: await response.text() };
}
