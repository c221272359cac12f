/** The form of what a part of the fake answers. */
import type { Account, Token, World } from './world.ts';

export type Answer = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** An object or a list is sent as JSON. */
  readonly body: string | object | null;
};

/** Where the answers' links lead: github.com's names, or those of an Enterprise Server. */
export type BaseUrls = { readonly api: string; readonly web: string };

export type ApiCall = {
  readonly world: World;
  readonly base: BaseUrls;
  readonly now: Date;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
  /** The JSON of the request, `{}` for none. */
  readonly body: Readonly<Record<string, unknown>>;
  readonly token: Token;
  readonly account: Account;
};

const docs = 'https://docs.github.com/rest';

export function failure(status: number, message: string, headers: Record<string, string> = {}): Answer {
  return { status, headers, body: { message, documentation_url: docs, status: String(status) } };
}

export function notFound(): Answer {
  return failure(404, 'Not Found');
}

/** 422, as "Validation Failed". */
export function invalid(errors: readonly object[]): Answer {
  return { status: 422, body: { message: 'Validation Failed', errors, documentation_url: docs, status: '422' } };
}

export function json(status: number, body: object): Answer {
  return { status, body };
}

/** Answers 404 without the scope, and names it in a header, as GitHub does. */
export function withScope(
  call: ApiCall,
  accepted: readonly string[],
  answer: () => Answer | Promise<Answer>,
): Answer | Promise<Answer> {
  const { scopes } = call.token;
  if (scopes === null || scopes.some((scope) => accepted.includes(scope))) return answer();
  return failure(404, 'Not Found', { 'x-accepted-oauth-scopes': accepted.join(', ') });
}

/** By `page` and `per_page`. */
export function page<T>(all: readonly T[], { query }: ApiCall): readonly T[] {
  const size = Math.min(Number(query.get('per_page') ?? 30), 100);
  const start = (Number(query.get('page') ?? 1) - 1) * size;
  return all.slice(start, start + size);
}
