import assert from 'node:assert/strict';
import { test } from 'node:test';
import { repositoryFiles, repositoryReading } from './repository-files.ts';

test('what is read of a repository: its configuration, and what tells of services, the nearest to the root first', () => {
  const listing = [
    'apps/web/package.json',
    'README.md',
    'package.json',
    'src/index.ts',
    'src/other.ts',
    'cmd/api/main.go',
    'go.mod',
  ];
  assert.deepEqual(repositoryFiles(listing), [
    '.nexus/config.yaml',
    'go.mod',
    'package.json',
    'src/index.ts',
    'apps/web/package.json',
    'cmd/api/main.go',
  ]);
});

test('the configuration is read whatever the listing says, and once', () => {
  assert.deepEqual(repositoryFiles([]), ['.nexus/config.yaml']);
  assert.deepEqual(repositoryFiles(['.nexus/config.yaml']), ['.nexus/config.yaml']);
});

test('not more files than are taken', () => {
  const listing = Array.from({ length: 500 }, (_, index) => `p${index}/package.json`);
  assert.equal(repositoryFiles(listing).length, repositoryReading.maxFiles);
});
