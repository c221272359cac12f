import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryUrl } from './repository-url.ts';

const github = 'https://github.com';
const own = 'https://git.example.com/team/tool.git';
const repository = { owner: 'alice', name: 'tool' };

test('a repository without a URL is at GitHub, unless it is a folder that was sent', () => {
  assert.equal(repositoryUrl(repository, github), 'https://github.com/alice/tool.git');
  assert.equal(repositoryUrl({ ...repository, source: 'git' }, github), 'https://github.com/alice/tool.git');
  assert.equal(repositoryUrl({ ...repository, source: 'upload' }, github), '');
  for (const source of ['git', 'upload'] as const)
    assert.equal(repositoryUrl({ ...repository, source, url: own }, github), own);
});
