import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CliError } from '../cli-error.ts';
import {
  canonicalRepository,
  looksLikePath,
  ownerAndName,
  parseRepositoryReference,
  withoutCredentials,
  workspaceSlug,
} from './repository-reference.ts';

const github = 'https://github.com/alice/my-project.git';

const enterprise = 'https://github.example.com/alice/my-project';

const references: readonly [text: string, owner: string, name: string, url: string | null, branch: string | null][] = [
  ['alice/my-project', 'alice', 'my-project', null, null],
  ['alice/my.project.git', 'alice', 'my.project', null, null],
  ['https://github.com/alice/my-project', 'alice', 'my-project', github, null],
  ['https://www.github.com/alice/my-project.git', 'alice', 'my-project', github, null],
  ['github.com/alice/my-project/', 'alice', 'my-project', github, null],
  ['https://github.com/alice/my-project?tab=readme#top', 'alice', 'my-project', github, null],
  ['https://github.com/alice/my-project/tree/main', 'alice', 'my-project', github, 'main'],
  ['https://github.com/alice/my-project/commit/1a2b3c', 'alice', 'my-project', github, '1a2b3c'],
  ['https://github.com/alice/my-project/pull/12', 'alice', 'my-project', github, 'refs/pull/12/head'],
  ['https://github.com/alice/my-project/pull/12/files', 'alice', 'my-project', github, 'refs/pull/12/head'],
  [`${enterprise}/tree/next`, 'alice', 'my-project', `${enterprise}.git`, 'next'],
  [`${enterprise}/tree/next/?tab=readme`, 'alice', 'my-project', `${enterprise}.git`, 'next'],
  [`${enterprise}/commit/1a2b3c`, 'alice', 'my-project', `${enterprise}.git`, '1a2b3c'],
  [`${enterprise}/pull/12`, 'alice', 'my-project', `${enterprise}.git`, 'refs/pull/12/head'],
  [`${enterprise}/pull/12/files#diff`, 'alice', 'my-project', `${enterprise}.git`, 'refs/pull/12/head'],
  ['https://git.example.com/team/tree/tool.git', 'tree', 'tool', 'https://git.example.com/team/tree/tool.git', null],
  ['https://github.com/alice/my-project/tree/50%', 'alice', 'my-project', github, '50%'],
  ['https://git.example.com/team/sub/tool.git', 'sub', 'tool', 'https://git.example.com/team/sub/tool.git', null],
  ['https://me@git.example.com/team/tool', 'team', 'tool', 'https://me@git.example.com/team/tool', null],
  ['http://127.0.0.1:8080/tool.git', 'local', 'tool', 'http://127.0.0.1:8080/tool.git', null],
  ['ssh://git@example.com:2222/team/tool.git', 'team', 'tool', 'ssh://git@example.com:2222/team/tool.git', null],
  ['git@example.com:team/tool.git', 'team', 'tool', 'git@example.com:team/tool.git', null],
  ['example.com:tool', 'local', 'tool', 'example.com:tool', null],
  ['git://example.com/a%20b/tool', 'a-b', 'tool', 'git://example.com/a%20b/tool', null],
  ['file:///srv/git/tool.git', 'git', 'tool', 'file:///srv/git/tool.git', null],
];
for (const [text, owner, name, url, branch] of references) {
  test(`a repository: ${text}`, () => assert.deepEqual(parseRepositoryReference(text), { owner, name, url, branch }));
}

test('a branch of a page may have slashes, and a folder behind it', () => {
  for (const [site, url] of [
    ['https://github.com/alice/my-project', github],
    [enterprise, `${enterprise}.git`],
  ] as const) {
    assert.deepEqual(parseRepositoryReference(`${site}/tree/feature/new%20look`), {
      owner: 'alice',
      name: 'my-project',
      url,
      branch: 'feature/new look',
      branchMayHaveFolder: true,
    });
  }
});

const refused: readonly [text: string, why: RegExp][] = [
  ['shop', /neither owner\/name, nor a git URL, nor a folder/],
  ['https://', /neither/],
  ['', /^The empty text is neither/],
  ['https://github.com/alice/my-project/issues/3', /not of a branch, a commit or a pull request/],
  ['https://github.com/alice/my-project/pull/new', /not of a branch/],
  ['https://me:secret@git.example.com/team/tool', /holds a password/],
];
for (const [text, why] of refused) {
  test(`no repository: ${text}`, () => {
    assert.throws(
      () => parseRepositoryReference(text),
      (error: CliError) => error.exitCode === 2 && why.test(error.message),
    );
  });
}

test('of another page of a repository, the repository is offered', () => {
  assert.throws(() => parseRepositoryReference('https://github.com/alice/my-project/issues/3'), {
    next: 'nexus workspace create alice/my-project',
  });
});

test('the way out of a password in a URL works when pasted', () => {
  assert.throws(() => parseRepositoryReference('https://me:secret@git.example.com/team/tool'), {
    next: 'nexus workspace create https://git.example.com/team/tool',
  });
});

test('paths are told from names', () => {
  for (const path of ['.', '..', './x', '../x', '/x', '~', '~/x']) assert.ok(looksLikePath(path), path);
  for (const other of ['', 'x', 'x/y', '.x/y', 'git@h:x', 'https://h/x']) assert.ok(!looksLikePath(other), other);
});

test('the same repository is the same however it is written', () => {
  const same = [
    github,
    'git@github.com:alice/my-project.git',
    'ssh://git@github.com/Alice/my-project',
    'https://u@github.com/alice/my-project/',
  ];
  assert.deepEqual(new Set(same.map(canonicalRepository)), new Set(['github.com/alice/my-project']));
  assert.equal(canonicalRepository('/srv/git/tool'), null);
});

test('owner and name are fit for the API', () => {
  assert.deepEqual(ownerAndName('/a b/c#d.git'), { owner: 'a-b', name: 'c-d' });
  assert.deepEqual(ownerAndName('---'), { owner: 'local', name: 'repository' });
});

test('credentials leave a URL', () => {
  assert.equal(withoutCredentials('https://me:secret@host/x'), 'https://host/x');
  assert.equal(withoutCredentials('ssh://git@host/x'), 'ssh://git@host/x');
});

const slugs: readonly [text: string, slug: string][] = [
  ['My_Project.js', 'my-project-js'],
  ['--x--', 'x'],
  ['Übung', 'ubung'],
  ['日本', ''],
  [`${'a'.repeat(39)}-b`, 'a'.repeat(39)],
];
for (const [text, slug] of slugs) test(`a name made of ${text}`, () => assert.equal(workspaceSlug(text), slug));
