/** What the server makes of GitHub's answers, and of none. */
import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { createGithubApi } from '../../src/server/github/github-api.ts';
import { startTrustedGithub } from '../support/trusted-github.ts';

const now = (): Date => new Date('2026-01-17T10:00:00Z');

test('a GitHub that never answers is given up', async () => {
  await using github = await startTrustedGithub();
  github.goDown('hang');
  const api = createGithubApi({ apiUrl: `${github.enterpriseUrl}/api/v3/`, now, timeoutMs: 200 });
  await assert.rejects(api.get('/user', 'x'), {
    code: 'github_unreachable',
    message: 'GitHub cannot be reached: it does not answer in time.',
  });
});

type Given = { status: number; headers?: Record<string, string>; body: string };

async function answering(given: Given): Promise<ReturnType<ReturnType<typeof createGithubApi>['get']>> {
  const server = createServer((_request, response) => response.writeHead(given.status, given.headers).end(given.body));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  try {
    return await createGithubApi({ apiUrl: `http://127.0.0.1:${port}`, now }).get('/user', 'x');
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const limitedUntil = (reset_at: string) => ({ code: 'github_rate_limited', details: { reset_at } });
const failures: readonly [name: string, given: Given, expected: object][] = [
  [
    'the primary limit says when it ends',
    { status: 403, headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': '1768647600' }, body: '{}' },
    limitedUntil('2026-01-17T11:00:00.000Z'),
  ],
  [
    'the secondary limit says how long it lasts',
    { status: 429, headers: { 'retry-after': '30' }, body: '{}' },
    limitedUntil('2026-01-17T10:00:30.000Z'),
  ],
  [
    'a limit that says nothing lasts a minute',
    { status: 403, body: '{"message":"You have exceeded a secondary rate limit."}' },
    limitedUntil('2026-01-17T10:01:00.000Z'),
  ],
  [
    'a page of a proxy is no answer',
    { status: 200, body: '<html>Log in to the network</html>' },
    { code: 'github_unreachable' },
  ],
  [
    'a fault of GitHub is no answer',
    { status: 500, body: '{}' },
    { code: 'github_unreachable', message: /status 500/ },
  ],
];
for (const [name, given, expected] of failures) test(name, () => assert.rejects(answering(given), expected));

test('a refusal is an answer', async () => {
  const body = { message: 'Resource not accessible by personal access token' };
  const headers = { 'x-ratelimit-remaining': '4990' };
  const answer = await answering({ status: 403, headers, body: JSON.stringify(body) });
  assert.deepEqual([answer.status, answer.body], [403, body]);
  assert.equal(answer.headers.get('x-ratelimit-remaining'), '4990');
});
