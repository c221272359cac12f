/** The REST API: who asks, what for, and the headers that every answer has. */
import { failure, notFound } from './answer.ts';
import type { Answer, ApiCall, BaseUrls } from './answer.ts';
import { rateLimitHeaders, rateLimitMessage } from './faults.ts';
import type { Faults } from './faults.ts';
import { addKey, emails, listKeys, membership, rateLimit, root, user, userByLogin } from './rest-account.ts';
import { branchOf, contentsOf, createFork, createRef, listForks, pull, repository } from './rest-repository.ts';
import { accountOf } from './world.ts';
import type { Token, World } from './world.ts';

type Route = {
  readonly method: 'GET' | 'POST';
  /** As in GitHub's OpenAPI description. */
  readonly path: string;
  readonly answer: (call: ApiCall) => Answer | Promise<Answer>;
};

export const routes: readonly Route[] = [
  { method: 'GET', path: '/', answer: root },
  { method: 'GET', path: '/user', answer: user },
  { method: 'GET', path: '/user/emails', answer: emails },
  { method: 'GET', path: '/user/memberships/orgs/{org}', answer: membership },
  { method: 'GET', path: '/user/keys', answer: listKeys },
  { method: 'POST', path: '/user/keys', answer: addKey },
  { method: 'GET', path: '/users/{login}', answer: userByLogin },
  { method: 'GET', path: '/rate_limit', answer: rateLimit },
  { method: 'GET', path: '/repos/{owner}/{name}', answer: repository },
  { method: 'GET', path: '/repos/{owner}/{name}/forks', answer: listForks },
  { method: 'POST', path: '/repos/{owner}/{name}/forks', answer: createFork },
  { method: 'GET', path: '/repos/{owner}/{name}/branches/{branch}', answer: branchOf },
  { method: 'GET', path: '/repos/{owner}/{name}/contents/{path}', answer: contentsOf },
  { method: 'POST', path: '/repos/{owner}/{name}/git/refs', answer: createRef },
  { method: 'GET', path: '/repos/{owner}/{name}/pulls/{number}', answer: pull },
];

export type ApiRequest = {
  readonly method: string;
  /** Below the API's own path. */
  readonly path: string;
  readonly query: URLSearchParams;
  readonly text: string;
  readonly token: Token | 'none' | 'bad';
};

type Surroundings = { readonly world: World; readonly faults: Faults; readonly base: BaseUrls; readonly now: Date };

export async function answerRest(request: ApiRequest, around: Surroundings): Promise<Answer> {
  return withHeaders(await guarded(request, around, () => routed(request, around)), request, around);
}

/** What comes before any route: limits and the token. GraphQL has the same. */
export async function guarded(
  { path, token }: Pick<ApiRequest, 'path' | 'token'>,
  { faults }: Pick<Surroundings, 'faults'>,
  answer: () => Answer | Promise<Answer>,
): Promise<Answer> {
  const limit = faults.rateLimit;
  if (limit !== null && path !== '/rate_limit') return failure(limit.status, rateLimitMessage(limit));
  if (token === 'bad') return failure(401, 'Bad credentials');
  if (token === 'none') return failure(401, 'Requires authentication');
  return answer();
}

export function withHeaders(
  answer: Answer,
  { token }: Pick<ApiRequest, 'token'>,
  { faults, now }: Pick<Surroundings, 'faults' | 'now'>,
): Answer {
  const scopes = typeof token === 'string' ? null : token.scopes;
  const headers = {
    'x-github-media-type': 'github.v3; format=json',
    'x-github-api-version-selected': '2022-11-28',
    ...rateLimitHeaders(faults.rateLimit, now),
    ...(scopes === null ? {} : { 'x-oauth-scopes': scopes.join(', '), 'x-accepted-oauth-scopes': '' }),
    ...answer.headers,
  };
  return { ...answer, headers };
}

async function routed(request: ApiRequest, { world, base, now }: Surroundings): Promise<Answer> {
  const { token } = request;
  if (typeof token === 'string') return notFound();
  for (const route of routes) {
    const params = route.method === request.method ? match(route.path, request.path) : null;
    if (params === null) continue;
    const body = parsed(request.text);
    if (body === null) return failure(400, 'Problems parsing JSON');
    return route.answer({
      world,
      base,
      now,
      params,
      query: request.query,
      body,
      token,
      account: accountOf(world, token.login),
    });
  }
  return notFound();
}

/** The last parameter of a path takes slashes: branches have them. */
function match(pattern: string, path: string): Record<string, string> | null {
  const source = pattern.replace(/\{branch\}/, '(?<branch>.+)').replace(/\{(\w+)\}/g, '(?<$1>[^/]+)');
  const found = new RegExp(`^${source}$`).exec(path);
  if (found === null) return null;
  return Object.fromEntries(Object.entries(found.groups ?? {}).map(([name, text]) => [name, decodeURIComponent(text)]));
}

function parsed(text: string): Record<string, unknown> | null {
  if (text === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}
