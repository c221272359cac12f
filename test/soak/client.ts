/** Requests as a client makes them: once, or with the patience of one who knows that a server may be restarted. */
import { pause } from './pause.ts';
import type { Soak } from './soak.ts';

export type Answer = { readonly status: number; readonly body: unknown };
type Request = {
  readonly method: string;
  readonly path: string;
  readonly json?: unknown;
  readonly bytes?: Buffer<ArrayBuffer>;
  readonly timeoutMs?: number;
};

export async function send(soak: Pick<Soak, 'nexus' | 'token'>, request: Request): Promise<Answer> {
  const { method, path, json, bytes, timeoutMs = 10_000 } = request;
  const type = bytes ? 'application/octet-stream' : 'application/json';
  const body = bytes ?? (json === undefined ? undefined : JSON.stringify(json));
  const response = await fetch(`${soak.nexus.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${soak.token}`, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body }),
    signal: AbortSignal.timeout(timeoutMs),
  });
  const text = await response.text();
  const isJson = response.headers.get('content-type')?.includes('json') ?? false;
  return { status: response.status, body: isJson ? JSON.parse(text) : text };
}

/** @throws with the answer when its status is not one of `statuses` */
export function expect(answer: Answer, ...statuses: readonly number[]): Answer {
  if (statuses.includes(answer.status)) return answer;
  throw new Error(`${answer.status} ${JSON.stringify(answer.body).slice(0, 300)}`);
}

const patienceMs = 90_000;

/** Asks again while there is no answer, or one that says that it may pass (502 to 504). */
export async function sendPatiently(soak: Pick<Soak, 'nexus' | 'token'>, request: Request): Promise<Answer> {
  const deadline = performance.now() + patienceMs;
  for (;;) {
    const outcome = await send(soak, request).catch((error: unknown) => error as Error);
    const isFinal = !(outcome instanceof Error) && (outcome.status < 502 || outcome.status > 504);
    if (isFinal) return outcome;
    if (performance.now() > deadline) throw outcome instanceof Error ? outcome : new Error(JSON.stringify(outcome));
    await pause(500, new AbortController().signal);
  }
}
