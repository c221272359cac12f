import assert from 'node:assert/strict';
import { test } from 'node:test';
import { gitUrl } from './git-url.ts';

function problemOf(url: string): string | null {
  return gitUrl.safeParse(url).error?.issues[0]?.message ?? null;
}

const good = [
  'https://github.com/a/b.git',
  'https://alice@bitbucket.org/a/b.git',
  'git@github.com:a/b.git',
  'ssh://git@example.com:2222/a/b',
  'file:///srv/a.git',
  '/srv/a.git',
  'https://example.com/a:b@c',
];
for (const url of good) {
  test(`a git URL: ${url}`, () => assert.equal(problemOf(url), null));
}

const secrets = [
  'https://alice:secret@example.com/a/b.git',
  'https://alice:se@cret@example.com/a/b.git',
  'https://x-access-token:ghs_0@github.com/a/b',
  'ssh://git:secret@example.com/a',
  'https://ghp_0123@github.com/a/b',
  'https://github_pat_0123@github.com/a/b',
  'https://glpat-0123@gitlab.com/a/b',
  `https://${'0a'.repeat(20)}@github.com/a/b`,
];
for (const url of secrets) {
  test(`a git URL with a secret: ${url}`, () => assert.match(String(problemOf(url)), /must not hold a password/));
}

for (const url of ['--upload-pack=x', 'a b', 'a\0b', '']) {
  test(`no git URL: ${JSON.stringify(url)}`, () => assert.match(String(problemOf(url)), /must be a git URL/));
}
