import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, test } from 'node:test';
import { createBundle } from './bundle.ts';
import { readCommittedFiles } from './committed-files.ts';
import { inspectLocalRepository } from './local-repository.ts';
import { runGit } from './run-git.ts';

describe('taking a repository along', () => {
  let root: string;
  let repo: string;

  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'nexus-git-'));
    repo = join(root, 'tool');
    mkdirSync(repo);
    git('init', '--quiet', '--initial-branch', 'trunk');
    git('config', 'user.name', 'Test');
    git('config', 'user.email', 'test@example.com');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  function gitIn(folder: string, ...args: string[]): string {
    return execFileSync('git', ['-C', folder, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  }

  function git(...args: string[]): string {
    return gitIn(repo, ...args);
  }

  function write(path: string, text: string): void {
    mkdirSync(join(repo, path, '..'), { recursive: true });
    writeFileSync(join(repo, path), text);
  }

  function commit(message: string): string {
    git('add', '--all');
    git('commit', '--quiet', '--message', message);
    return git('rev-parse', 'HEAD');
  }

  /** What a workspace would have: a clone of the bundle. */
  async function cloned(
    folder: string,
    options: { includeChanges?: boolean; revision?: string } = {},
  ): Promise<string> {
    const { includeChanges = false, revision } = options;
    const repository = await inspectLocalRepository(folder, revision === undefined ? {} : { revision });
    await using bundle = await createBundle(repository, { includeChanges });
    const clone = join(root, 'clone');
    gitIn(root, 'clone', '--quiet', bundle.file, clone);
    if (includeChanges) gitIn(clone, 'fetch', '--quiet', 'origin', 'refs/nexus/changes:refs/nexus/changes');
    assert.equal(gitIn(clone, 'rev-parse', 'HEAD'), bundle.commit);
    assert.ok(bundle.sizeBytes > 100);
    return clone;
  }

  /** Everything that taking a repository along must leave alone. */
  function state(): string {
    return [
      git('status', '--porcelain'),
      git('for-each-ref'),
      git('stash', 'list'),
      git('count-objects', '-v'),
      readFileSync(join(repo, '.git/HEAD'), 'utf8'),
    ].join('\n');
  }

  test('the checked-out branch goes in with its history', async () => {
    write('a.txt', 'one');
    commit('first');
    write('a.txt', 'two');
    const head = commit('second');
    write('a.txt', 'changed');
    write('new/b.txt', 'untracked');
    write('new/c.txt', 'untracked');
    git('remote', 'add', 'origin', 'https://me:secret@git.example.com/team/tool.git');
    const repository = await inspectLocalRepository(repo);
    const { owner, name, originUrl, branch, changedFiles, isShallow, prefix } = repository;
    assert.deepEqual(
      { owner, name, originUrl, branch, changedFiles, isShallow, prefix },
      {
        owner: 'team',
        name: 'tool',
        originUrl: 'https://git.example.com/team/tool.git',
        branch: 'trunk',
        changedFiles: ['a.txt', 'new/b.txt', 'new/c.txt'],
        isShallow: false,
        prefix: '',
      },
    );
    const before = state();
    const clone = await cloned(repo);
    assert.equal(gitIn(clone, 'log', '--format=%H %s'), `${head} second\n${git('rev-parse', 'HEAD~1')} first`);
    assert.equal(gitIn(clone, 'symbolic-ref', '--short', 'HEAD'), 'trunk');
    assert.equal(readFileSync(join(clone, 'a.txt'), 'utf8'), 'two');
    assert.equal(state(), before);
  });

  test('a file that was only taken out of the index is one changed file', async () => {
    write('a.txt', 'one');
    commit('first');
    git('rm', '--cached', '--quiet', 'a.txt');
    const { isCheckedOut, changedFiles } = await inspectLocalRepository(repo);
    assert.deepEqual([isCheckedOut, changedFiles], [true, ['a.txt']]);
  });

  test('uncommitted changes go in as a commit on top, and stay as they are here', async () => {
    write('a.txt', 'one');
    write('.gitignore', 'ignored\n');
    write('gone.txt', 'x');
    const head = commit('first');
    write('staged.txt', 'staged');
    git('add', 'staged.txt');
    write('a.txt', 'changed');
    write('new.txt', 'untracked');
    write('ignored', 'secret');
    rmSync(join(repo, 'gone.txt'));
    const before = state();
    const clone = await cloned(repo, { includeChanges: true });
    assert.equal(gitIn(clone, 'rev-parse', 'HEAD'), head);
    assert.equal(gitIn(clone, 'rev-parse', 'refs/nexus/changes^'), head);
    assert.equal(
      gitIn(clone, 'diff', '--name-status', 'HEAD', 'refs/nexus/changes'),
      'M\ta.txt\nD\tgone.txt\nA\tnew.txt\nA\tstaged.txt',
    );
    assert.equal(state(), before);
  });

  test('a folder of a repository goes in as a repository of its own', async () => {
    write('examples/shop/index.html', 'shop');
    write('other.txt', 'not of the shop');
    const head = commit('first');
    git('remote', 'add', 'origin', 'https://git.example.com/team/tool.git');
    write('examples/shop/new.txt', 'untracked');
    write('elsewhere.txt', 'untracked');
    const shop = join(repo, 'examples/shop');
    const repository = await inspectLocalRepository(shop);
    assert.deepEqual(
      [repository.prefix, repository.changedFiles, repository.originUrl, repository.owner, repository.name],
      ['examples/shop/', ['examples/shop/new.txt'], null, 'local', 'shop'],
    );
    const before = state();
    const clone = await cloned(shop, { includeChanges: true });
    assert.equal(gitIn(clone, 'ls-tree', '-r', '--name-only', 'HEAD'), 'index.html');
    assert.equal(gitIn(clone, 'log', '--format=%s|%an'), `examples/shop of tool at ${head}|Test`);
    assert.equal(gitIn(clone, 'diff', '--name-status', 'HEAD', 'refs/nexus/changes'), 'A\tnew.txt');
    assert.equal(state(), before);
  });

  test('a shallow clone goes in as one commit', async () => {
    write('a.txt', 'one');
    commit('first');
    write('a.txt', 'two');
    commit('second');
    const shallow = join(root, 'shallow');
    gitIn(root, 'clone', '--quiet', '--depth', '1', `file://${repo}`, shallow);
    assert.equal((await inspectLocalRepository(shallow)).isShallow, true);
    const clone = await cloned(shallow);
    assert.match(gitIn(clone, 'log', '--format=%s'), /^shallow at [0-9a-f]{40}$/);
    assert.equal(readFileSync(join(clone, 'a.txt'), 'utf8'), 'two');
  });

  test('a detached head stays detached', async () => {
    write('a.txt', 'one');
    const first = commit('first');
    write('a.txt', 'two');
    commit('second');
    git('checkout', '--quiet', first);
    const clone = await cloned(repo);
    assert.equal(gitIn(clone, 'rev-parse', 'HEAD'), first);
    assert.equal((await runGit(clone, ['symbolic-ref', '--quiet', 'HEAD'])).exitCode, 1);
  });

  test('another branch, a tag or a commit can be taken', async () => {
    write('a.txt', 'one');
    const first = commit('first');
    git('tag', 'v1');
    git('branch', 'next');
    write('a.txt', 'two');
    commit('second');
    write('a.txt', 'changed');
    const next = await inspectLocalRepository(repo, { revision: 'next' });
    assert.deepEqual([next.head, next.branch, next.isCheckedOut, next.changedFiles], [first, 'next', false, []]);
    const tag = await inspectLocalRepository(repo, { revision: 'v1' });
    assert.deepEqual([tag.head, tag.branch], [first, null]);
    await assert.rejects(inspectLocalRepository(repo, { revision: 'nothing' }), {
      exitCode: 5,
      message: /has no branch, tag or commit nothing/,
    });
    assert.equal(readFileSync(join(await cloned(repo, { revision: 'next' }), 'a.txt'), 'utf8'), 'one');
  });

  test('tags, and what was pushed, are known in the workspace', async () => {
    write('a.txt', 'one');
    const first = commit('first');
    git('tag', 'v1');
    git('remote', 'add', 'origin', 'https://git.example.com/team/tool.git');
    git('update-ref', 'refs/remotes/origin/trunk', first);
    write('a.txt', 'two');
    commit('second');
    git('tag', '-a', 'v2', '-m', 'second');
    git('checkout', '--quiet', '-b', 'side');
    write('a.txt', 'three');
    commit('third');
    git('tag', 'elsewhere');
    git('checkout', '--quiet', 'trunk');
    const repository = await inspectLocalRepository(repo);
    await using bundle = await createBundle(repository, { includeChanges: false });
    const heads = gitIn(root, 'bundle', 'list-heads', bundle.file)
      .split('\n')
      .map((line) => line.split(' ')[1]);
    assert.deepEqual(
      new Set(heads),
      new Set(['HEAD', 'refs/heads/trunk', 'refs/remotes/origin/trunk', 'refs/tags/v1', 'refs/tags/v2']),
    );
  });

  test('a hook that runs it does not mislead git', async () => {
    write('a.txt', 'one');
    const head = commit('first');
    process.env['GIT_DIR'] = '/nowhere';
    try {
      assert.equal((await inspectLocalRepository(repo)).head, head);
    } finally {
      delete process.env['GIT_DIR'];
    }
  });

  test('a linked worktree goes in too', async () => {
    write('a.txt', 'one');
    const head = commit('first');
    const worktree = join(root, 'linked');
    git('worktree', 'add', '--quiet', '-b', 'side', worktree);
    writeFileSync(join(worktree, 'new.txt'), 'untracked');
    const clone = await cloned(worktree, { includeChanges: true });
    assert.equal(gitIn(clone, 'rev-parse', 'HEAD'), head);
    assert.equal(gitIn(clone, 'symbolic-ref', '--short', 'HEAD'), 'side');
  });

  test('what cannot be taken says why', async () => {
    await assert.rejects(inspectLocalRepository(root), { message: /is not in a git repository/, next: /git init/ });
    await assert.rejects(inspectLocalRepository(join(root, 'nowhere')), { message: /is not in a git repository/ });
    await assert.rejects(inspectLocalRepository(repo), {
      message: /Nothing of .* is committed yet/,
      next: /git commit/,
    });
    write('a.txt', 'one');
    commit('first');
    write('later/b.txt', 'x');
    await assert.rejects(inspectLocalRepository(join(repo, 'later')), {
      message: /Nothing of .*later is committed yet/,
    });
  });

  test('a broken repository is git’s own failure, and nothing is left behind', async () => {
    write('a.txt', 'one');
    commit('first');
    const repository = await inspectLocalRepository(repo);
    await assert.rejects(createBundle({ ...repository, head: 'f'.repeat(40), prefix: '' }, { includeChanges: false }), {
      message: /^git .* failed: /,
    });
  });

  test('an origin that is a folder is not told', async () => {
    write('a.txt', 'one');
    commit('first');
    git('remote', 'add', 'origin', '/srv/git/tool.git');
    const { originUrl, owner } = await inspectLocalRepository(repo);
    assert.deepEqual([originUrl, owner], [null, 'local']);
  });

  test('the configuration is read as it is committed', async () => {
    write('app/.nexus/config.yaml', 'version: "1.0"\n');
    write('app/a/b/package.json', '{}');
    write('app/a/b/c/package.json', '{}');
    write('app/node_modules/x/package.json', '{}');
    write('app/package.json', '{"name":"committed"}');
    commit('first');
    write('app/package.json', '{"name":"changed"}');
    const { files, listing } = await readCommittedFiles(await inspectLocalRepository(join(repo, 'app')));
    assert.deepEqual(listing, ['.nexus/config.yaml', 'a/b/package.json', 'package.json']);
    assert.equal(files.get('package.json'), '{"name":"committed"}');
    assert.equal(files.get('.nexus/config.yaml'), 'version: "1.0"\n');
    const whole = await readCommittedFiles(await inspectLocalRepository(repo));
    assert.ok(whole.listing.includes('app/package.json'));
  });

  test('git that is not there is told', async () => {
    const result = await runGit(repo, ['status'], { env: { PATH: '/nowhere' } });
    assert.deepEqual([result.exitCode, result.stdout], [127, '']);
    assert.match(result.stderr, /ENOENT/);
  });
});
