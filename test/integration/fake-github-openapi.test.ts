/** The fake GitHub answers as GitHub's published OpenAPI description says, in every case that it knows. */
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { after, before, test } from 'node:test';
import { revision } from '../support/fake-github/bare-repository.ts';
import { startFakeGithub } from '../support/fake-github/fake-github.ts';
import type { FakeGithub } from '../support/fake-github/fake-github.ts';
import { routes } from '../support/fake-github/rest.ts';
import { publicKeys } from '../support/public-keys.ts';

const { ed25519 } = publicKeys;

type Response = { readonly $ref?: string; readonly content?: Record<string, unknown> };
type Description = {
  readonly paths: Record<string, Record<string, { responses: Record<string, Response> }>>;
  readonly components: { readonly responses: Record<string, Response> };
};

const folder = new URL('generated/api.github.com.json', import.meta.resolve('@octokit/openapi'));
const description = JSON.parse(readFileSync(folder, 'utf8'), nullableAsUnion) as Description;
const ajv = new Ajv({ strict: false, allErrors: true, validateFormats: true });
addFormats.default(ajv);
ajv.addFormat('repo.nwo', true);
ajv.addSchema(description, 'github');

/** OpenAPI 3.0 lets `nullable` stand without a type; ajv does not. */
function nullableAsUnion(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || !('nullable' in value) || 'type' in value) return value;
  const { nullable: _nullable, ...rest } = value;
  return { anyOf: [{ type: 'null' }, rest] };
}

let github: FakeGithub;
/** Of a branch that came after the fork; `LATE` in the cases. */
let lateSha = '';
let tokens: Record<'alice' | 'bob' | 'narrow' | 'revoked', string>;

before(async () => {
  github = await startFakeGithub();
  github.addUser('alice', { name: 'Alice' });
  github.addUser('bob', {
    emails: [{ email: 'bob@example.com', primary: true, verified: true, visibility: 'public' }],
  });
  tokens = {
    alice: github.addToken('alice', { scopes: ['repo', 'user', 'admin:public_key'] }),
    bob: github.addToken('bob', { scopes: null }),
    narrow: github.addToken('alice', { scopes: [] }),
    revoked: github.addToken('bob'),
  };
  github.revoke(tokens.revoked);
  github.addKey('alice', ed25519.line);
  github.addOrganization('my-club', { members: ['bob'] });
  await github.addRepository('my-org/shop', { files: { 'README.md': 'Shop' } });
  await github.addRepository('my-org/secret', { private: true, files: { a: 'b' }, access: { bob: 'write' } });
  await github.addRepository('my-org/empty');
  await github.addFork('my-org/shop', 'bob/his-shop');
  await github.commit('bob/his-shop', { branch: 'feature/x', from: 'main', files: { b: 'c' } });
  await github.addFork('my-org/shop', 'alice/shop');
  await github.commit('my-org/shop', { branch: 'late', from: 'main', files: { d: 'e' } });
  lateSha = (await revision(github.repository('my-org/shop').folder, 'late')) ?? '';
  await github.addPull('my-org/shop', { number: 7, from: 'bob/his-shop:feature/x' });
});
after(() => github[Symbol.asyncDispose]());

/** Paths as in GitHub's description, for those that have other names for their parameters. */
function publishedPath(path: string): string {
  return path
    .replace('/repos/{owner}/{name}', '/repos/{owner}/{repo}')
    .replace('{number}', '{pull_number}')
    .replace('{login}', '{username}');
}

async function ask(
  method: string,
  path: string,
  { token, body }: { token: string | null; body?: object },
): Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: unknown }> {
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  const sent = request(`${github.enterpriseUrl}/api/v3${path}`, {
    method,
    headers,
    ca: readFileSync(github.caFile),
  });
  sent.end(body === undefined ? undefined : JSON.stringify(body));
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  sent.once('response', resolve).once('error', reject);
  const response = await promise;
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    body: JSON.parse(await text(response)) as unknown,
  };
}

/** Checks the answer against the schema that GitHub gives for the operation and the status. */
function assertPublished(route: { method: string; path: string }, status: number, body: unknown): void {
  const path = publishedPath(route.path);
  const method = route.method.toLowerCase();
  const escaped = path.replaceAll('/', '~1');
  const response = description.paths[path]?.[method]?.responses[String(status)];
  // 401 and 404 may come anywhere, and are not listed everywhere.
  const where = response?.$ref ?? `#/paths/${escaped}/${method}/responses/${status}`;
  const place = response === undefined ? '#/components/responses/not_found' : where;
  const check = ajv.getSchema(`github${place}/content/application~1json/schema`);
  assert.ok(check, `GitHub describes ${method} ${path} ${status}`);
  assert.equal(check(body), true, `${method} ${path} ${status}: ${ajv.errorsText(check.errors)}`);
}

type Case = { path: string; method?: string; as?: keyof typeof tokens | null; body?: object; status: number };
const cases: Readonly<Record<string, readonly Case[]>> = {
  'GET /': [{ path: '/', status: 200 }],
  'GET /user': [
    { path: '/user', status: 200 },
    { path: '/user', as: 'bob', status: 200 },
    { path: '/user', as: 'revoked', status: 401 },
    { path: '/user', as: null, status: 401 },
  ],
  'GET /user/emails': [
    { path: '/user/emails', status: 200 },
    { path: '/user/emails', as: 'narrow', status: 404 },
  ],
  'GET /user/memberships/orgs/{org}': [
    { path: '/user/memberships/orgs/my-club', as: 'bob', status: 200 },
    { path: '/user/memberships/orgs/my-club', status: 404 },
    { path: '/user/memberships/orgs/my-club', as: 'narrow', status: 404 },
  ],
  'GET /user/keys': [
    { path: '/user/keys', status: 200 },
    { path: '/user/keys', as: 'narrow', status: 404 },
  ],
  'POST /user/keys': [
    { path: '/user/keys', body: { title: 'x', key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA' }, status: 201 },
    { path: '/user/keys', as: 'bob', body: { title: 'x', key: ed25519.line }, status: 422 },
    { path: '/user/keys', body: { title: 'x', key: 'nonsense' }, status: 422 },
    { path: '/user/keys', as: 'narrow', body: { title: 'x', key: ed25519.line }, status: 404 },
  ],
  'GET /users/{login}': [
    { path: '/users/BOB', status: 200 },
    { path: '/users/nobody', status: 404 },
  ],
  'GET /rate_limit': [{ path: '/rate_limit', status: 200 }],
  'GET /repos/{owner}/{name}': [
    { path: '/repos/my-org/shop', status: 200 },
    { path: '/repos/bob/his-shop', status: 200 },
    { path: '/repos/my-org/secret', as: 'bob', status: 200 },
    { path: '/repos/my-org/secret', status: 404 },
    { path: '/repos/my-org/none', status: 404 },
  ],
  'GET /repos/{owner}/{name}/forks': [{ path: '/repos/my-org/shop/forks', status: 200 }],
  'POST /repos/{owner}/{name}/forks': [
    { path: '/repos/my-org/shop/forks', body: { default_branch_only: false }, status: 202 },
    { path: '/repos/my-org/shop/forks', as: 'bob', status: 202 },
    { path: '/repos/my-org/empty/forks', status: 403 },
    { path: '/repos/my-org/secret/forks', status: 404 },
  ],
  'GET /repos/{owner}/{name}/branches/{branch}': [
    { path: '/repos/my-org/shop/branches/main', status: 200 },
    { path: '/repos/bob/his-shop/branches/feature/x', status: 200 },
    { path: '/repos/my-org/shop/branches/none', status: 404 },
  ],
  'GET /repos/{owner}/{name}/contents/{path}': [
    { path: '/repos/my-org/shop/contents/README.md', status: 200 },
    { path: '/repos/bob/his-shop/contents/b?ref=feature/x', status: 200 },
    { path: '/repos/my-org/shop/contents/none', status: 404 },
    { path: '/repos/my-org/secret/contents/a', status: 404 },
  ],
  'POST /repos/{owner}/{name}/git/refs': [
    { path: '/repos/alice/shop/git/refs', body: { ref: 'refs/heads/late', sha: 'LATE' }, status: 201 },
    { path: '/repos/alice/shop/git/refs', body: { ref: 'refs/heads/main', sha: 'LATE' }, status: 422 },
    { path: '/repos/alice/shop/git/refs', body: { ref: 'late', sha: 'LATE' }, status: 422 },
    { path: '/repos/alice/shop/git/refs', body: { ref: 'refs/heads/no', sha: '0'.repeat(40) }, status: 422 },
    { path: '/repos/bob/his-shop/git/refs', body: { ref: 'refs/heads/late', sha: 'LATE' }, status: 404 },
    { path: '/repos/alice/shop/git/refs', as: 'narrow', body: { ref: 'refs/heads/x', sha: 'LATE' }, status: 404 },
  ],
  'GET /repos/{owner}/{name}/pulls/{number}': [
    { path: '/repos/my-org/shop/pulls/7', status: 200 },
    { path: '/repos/my-org/shop/pulls/8', status: 404 },
  ],
};

for (const route of routes) {
  const name = `${route.method} ${route.path}`;
  test(`${name} answers as GitHub describes it`, async () => {
    const asked = cases[name];
    assert.ok(asked, 'every route of the fake has its cases here');
    for (const { path, as = 'alice', body, status } of asked) {
      const answer = await ask(route.method, path, {
        token: as === null ? null : tokens[as],
        ...(body === undefined
          ? {}
          : { body: JSON.parse(JSON.stringify(body).replace('LATE', lateSha)) as Record<string, unknown> }),
      });
      assert.equal(answer.status, status, `${route.method} ${path}: ${JSON.stringify(answer.body)}`);
      assertPublished(route, status, answer.body);
    }
  });
}

test('an answer that is not as described would be noticed', async () => {
  const { body } = await ask('GET', '/user', { token: tokens.bob });
  const { id: _id, ...withoutId } = body as Record<string, unknown>;
  assert.throws(() => assertPublished({ method: 'GET', path: '/user' }, 200, withoutId), /required property 'id'/);
});

test('the headers name scopes and limits', async () => {
  const { headers } = await ask('GET', '/', { token: tokens.alice });
  assert.equal(headers['x-oauth-scopes'], 'repo, user, admin:public_key');
  assert.equal(headers['x-ratelimit-remaining'], '4999');
  const narrow = await ask('GET', '/user/emails', { token: tokens.narrow });
  assert.deepEqual(
    [narrow.headers['x-oauth-scopes'], narrow.headers['x-accepted-oauth-scopes']],
    ['', 'user:email, user'],
  );
  assert.equal((await ask('GET', '/', { token: tokens.bob })).headers['x-oauth-scopes'], undefined);
});

test('limits of the rate come with what GitHub documents', async () => {
  const resetAt = new Date('2026-01-17T11:00:00Z');
  github.limitRate({ kind: 'primary', status: 403, resetAt });
  const primary = await ask('GET', '/user', { token: tokens.alice });
  github.limitRate({ kind: 'secondary', status: 429, retryAfterSeconds: 60 });
  const secondary = await ask('GET', '/user', { token: tokens.alice });
  github.limitRate(null);
  assert.deepEqual(
    [primary.status, primary.headers['x-ratelimit-remaining'], primary.headers['x-ratelimit-reset']],
    [403, '0', '1768647600'],
  );
  assertPublished({ method: 'GET', path: '/user' }, 403, primary.body);
  assert.deepEqual([secondary.status, secondary.headers['retry-after']], [429, '60']);
});
