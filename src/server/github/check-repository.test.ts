import assert from 'node:assert/strict';
import { test } from 'node:test';
import { serverConfig } from '../../contract/server-config.ts';
import { checkRepositoryAt, nameAt } from './check-repository.ts';
import type { GithubApi } from './github-api.ts';

const names: readonly [url: string, name: string | null][] = [
  ['https://github.com/my-org/shop.git', 'my-org/shop'],
  ['https://GitHub.com/my-org/shop', 'my-org/shop'],
  ['https://alice@github.com/my-org/shop.js/', 'my-org/shop.js'],
  ['git@github.com:my-org/shop.git', 'my-org/shop'],
  ['ssh://git@github.com:22/my-org/shop.git', 'my-org/shop'],
  ['https://gitlab.com/my-org/shop.git', null],
  ['https://github.com.example.com/my-org/shop.git', null],
  ['https://github.com/my-org', null],
  ['https://github.com/a/b/c', null],
  ['file:///srv/shop.git', null],
  ['/srv/shop.git', null],
];
for (const [url, name] of names)
  test(`${url} is ${name ?? 'not at GitHub'}`, () => assert.equal(nameAt('https://github.com', url), name));

const config = serverConfig.parse({ auth: { mode: 'github' } });
const repo = { owner: 'my-org', name: 'shop' };

function answering(
  status: number,
  body: unknown = {},
): { check: ReturnType<typeof checkRepositoryAt>; asked: string[] } {
  const asked: string[] = [];
  const get: GithubApi['get'] = async (path, token) => {
    asked.push(`${token} ${path}`);
    return { status, body, headers: new Headers() };
  };
  return { check: checkRepositoryAt({ get }, config), asked };
}

test('GitHub is asked with the token of whoever wants the workspace', async () => {
  const { check, asked } = answering(200);
  await check(repo, 'gho_x');
  assert.deepEqual(asked, ['gho_x /repos/my-org/shop']);
});

test('what is not at GitHub is not asked about', async () => {
  const { check, asked } = answering(404);
  await check({ ...repo, source: 'upload' }, 'gho_x');
  await check({ ...repo, url: 'https://git.example.com/my-org/shop.git' }, 'gho_x');
  const local = checkRepositoryAt({ get: () => assert.fail() }, serverConfig.parse({}));
  await local(repo, 'nxl_x');
  assert.deepEqual(asked, []);
});

for (const [status, code] of [
  [404, 'github_repo_not_found'],
  [401, 'unauthorized'],
  [403, 'forbidden'],
  [451, 'forbidden'],
] as const)
  test(`${status} of GitHub is ${code}`, async () => {
    await assert.rejects(answering(status, { message: 'Blocked' }).check(repo, 'gho_x'), { code });
  });
