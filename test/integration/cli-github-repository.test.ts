/** Which repository a workspace is made of: one's own, one that may be pushed to, a fork. Against the fake GitHub. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import type { CliResult, CliWorld } from '../support/cli-world.ts';
import type { FakeGithub } from '../support/fake-github/fake-github.ts';
import { createGithubCliWorld, type GithubCliWorld } from '../support/github-cli-world.ts';

const files = { 'README.md': 'Shop' };

describe('the repository that is worked in', () => {
  let scene: GithubCliWorld;
  let github: FakeGithub;
  let world: CliWorld;
  let at = '';

  before(async () => {
    scene = await createGithubCliWorld({ env: { NEXUS_LIMITS_WORKSPACES_PER_USER: '100' } });
    ({ github, world } = scene);
    at = github.enterpriseUrl;
    github.addUser('alice', { name: 'Alice' });
    github.addUser('bob');
    await github.addRepository('alice/own', { files });
    await github.addRepository('my-org/shared', { files, access: { alice: 'write' } });
    await github.addRepository('my-org/shop', { files });
    await github.addRepository('my-org/renamed', { files });
    await github.addRepository('my-org/hidden', { files, private: true });
    signedIn = scene.signedIn('alice');
  });
  after(() => scene[Symbol.asyncDispose]());
  let signedIn: Record<string, string> = {};

  function create(repository: string, name: string, ...more: string[]): Promise<CliResult> {
    return world.run(['workspace', 'create', repository, '--name', name, '--no-wait', ...more], { env: signedIn });
  }

  async function repositoryOf(name: string): Promise<Pick<WorkspaceView['repository'], 'url' | 'branch' | 'is_fork'>> {
    const { stdout, stderr } = await world.run(['workspace', 'show', name, '--json'], { env: signedIn });
    assert.notEqual(stdout, '', stderr);
    const { url, branch, is_fork } = (JSON.parse(stdout) as WorkspaceView).repository;
    return { url: url.replace(`${at}/`, ''), branch, is_fork };
  }

  it('is one’s own as it is, and one that may be pushed to', async () => {
    for (const [repository, name] of [
      ['alice/own', 'own'],
      ['my-org/shared', 'shared'],
    ] as const) {
      const created = await create(repository, name);
      assert.equal(created.exitCode, 0, created.stderr);
      assert.equal(created.stderr, '');
    }
    assert.deepEqual(await repositoryOf('own'), {
      url: 'alice/own.git',
      branch: null,
      is_fork: false,
    });
    assert.deepEqual(await repositoryOf('shared'), {
      url: 'my-org/shared.git',
      branch: null,
      is_fork: false,
    });
  });

  it('has its packages and its image known before the clone, on the branch that is wanted; a broken one is left to the node', async () => {
    const config = (packages: string): string =>
      `version: "1.0"\npackages: [${packages}]\nproviders: { lxc: { image: "debian:13" } }\n`;
    await github.addRepository('alice/config', { files: { '.nexus/config.yaml': config('postgresql') } });
    await github.commit('alice/config', {
      branch: 'next',
      from: 'main',
      files: { '.nexus/config.yaml': config('redis') },
    });
    await github.commit('alice/config', { branch: 'broken', from: 'main', files: { '.nexus/config.yaml': '{' } });
    for (const [reference, packages] of [
      ['alice/config', ['postgresql']],
      [`${at}/alice/config/tree/next`, ['redis']],
      [`${at}/alice/config/tree/broken`, undefined],
    ] as const) {
      const name = `config-${reference.split('/').at(-1)}`;
      const created = await create(reference, name);
      assert.equal(created.exitCode, 0, created.stderr);
      const row = await world.api.store.db
        .selectFrom('workspaces')
        .select('request_json')
        .where('name', '=', name)
        .executeTakeFirstOrThrow();
      const asked = JSON.parse(row.request_json) as { packages?: string[]; image?: string };
      assert.deepEqual(asked.packages, packages);
      assert.equal(asked.image, packages && 'debian:13');
    }
  });

  it('is a fork of somebody else’s, which is waited for, and found again', async () => {
    github.delayForks(2);
    const made = await create('my-org/shop', 'shop');
    assert.equal(made.exitCode, 0, made.stderr);
    assert.equal(made.stderr, 'GitHub makes your fork alice/shop\nalice/shop is your new fork of my-org/shop\n');
    assert.deepEqual(await repositoryOf('shop'), {
      url: 'alice/shop.git',
      branch: null,
      is_fork: true,
    });
    const again = await create(`${at}/my-org/shop.git`, 'shop-2');
    assert.equal(again.stderr, 'alice/shop is your fork of my-org/shop\n');
    assert.equal(github.seen.filter(({ method, path }) => method === 'POST' && path.endsWith('/forks')).length, 1);
  });

  it('is told of when it takes long to answer', async () => {
    github.goDown('hang', { parts: ['api'] });
    const interrupt = new AbortController();
    const onOutput = (text: string): void => {
      if (text.includes('Waiting for ')) interrupt.abort();
    };
    const ended = await world.run(['up', 'my-org/shop', '--no-editor'], { env: signedIn, interrupt, onOutput });
    github.comeBack();
    assert.equal(ended.exitCode, 130, ended.stderr);
    assert.match(ended.stderr, /^Waiting for \S+, which does not answer yet$/m);
  });

  it('is waited for until Ctrl-C, after which the same command goes on', async () => {
    await github.addRepository('my-org/slow', { files });
    github.delayForks(1_000);
    const interrupt = new AbortController();
    const onOutput = (text: string): void => {
      if (text.includes('GitHub makes your fork')) interrupt.abort();
    };
    const ended = await world.run(['workspace', 'create', 'my-org/slow'], { env: signedIn, interrupt, onOutput });
    github.delayForks(0);
    assert.equal(ended.exitCode, 130, ended.stderr);
    assert.match(ended.stderr, /✖ Interrupted\n {2}The same command goes on from here\.\n$/);
  });

  it('is a fork that has the branch of the original, also one that came later', async () => {
    await github.addRepository('my-org/old', { files });
    await github.addFork('my-org/old', 'alice/old');
    await github.commit('my-org/old', { branch: 'feature/late', from: 'main', files: { 'late.txt': 'x' } });
    const found = await create(`${at}/my-org/old/tree/feature/late`, 'late');
    assert.equal(found.exitCode, 0, found.stderr);
    assert.equal(found.stderr, 'alice/old has the branch feature/late now\nalice/old is your fork of my-org/old\n');
    assert.deepEqual(await repositoryOf('late'), { url: 'alice/old.git', branch: 'feature/late', is_fork: true });
    const again = await create('my-org/old', 'late-2', '--branch', 'feature/late');
    assert.equal(again.stderr, 'alice/old is your fork of my-org/old\n');
    const tag = await create('my-org/old', 'late-3', '--branch', 'v1');
    assert.equal(tag.exitCode, 0, tag.stderr);
    const workflow = { '.github/workflows/ci.yml': 'on: push' };
    await github.commit('my-org/old', { branch: 'later', from: 'main', files: workflow });
    const refused = await create('my-org/old', 'late-4', '--branch', 'later');
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.stderr,
      /alice\/old does not have the branch later of my-org\/old yet, and could not get it\. .*without `workflow` scope.*\n {2}→ nexus up my-org\/old --branch later --no-fork\n/,
    );
  });

  it('is a fork under another name', async () => {
    await github.addFork('my-org/renamed', 'alice/my-renamed');
    const found = await create('my-org/renamed', 'renamed');
    assert.equal(found.exitCode, 0, found.stderr);
    assert.equal((await repositoryOf('renamed')).url, 'alice/my-renamed.git');
  });

  it('is not forked when that is not wanted', async () => {
    const created = await create('my-org/renamed', 'no-fork', '--no-fork');
    assert.equal(created.stderr, 'you may read my-org/renamed, not push to it\n');
    assert.equal((await repositoryOf('no-fork')).url, 'my-org/renamed.git');
  });

  it('is the branch of a pull request where it may be pushed to, else the request to read', async () => {
    await github.commit('alice/shop', { branch: 'feature', from: 'main', files: { 'new.txt': 'x' } });
    await github.addPull('my-org/shop', { number: 7, from: 'alice/shop:feature' });
    const mine = await create('my-org/shop', 'mine', '--branch', 'refs/pull/7/head');
    assert.equal(mine.exitCode, 0, mine.stderr);
    assert.deepEqual(await repositoryOf('mine'), {
      url: 'alice/shop.git',
      branch: 'feature',
      is_fork: true,
    });
    await github.addFork('my-org/shop', 'bob/shop');
    await github.commit('bob/shop', { branch: 'theirs', from: 'main', files: { 'new.txt': 'y' } });
    await github.addPull('my-org/shop', { number: 8, from: 'bob/shop:theirs' });
    const theirs = await create('my-org/shop', 'theirs', '--branch', 'refs/pull/8/head');
    assert.equal(theirs.stderr, 'you may read my-org/shop, not push to it\n');
    assert.equal((await repositoryOf('theirs')).branch, 'refs/pull/8/head');
    const none = await create('my-org/shop', 'none', '--branch', 'refs/pull/99/head');
    assert.equal(none.exitCode, 5);
    assert.match(none.stderr, /my-org\/shop has no pull request 99\.\n {2}→ https:\/\/.*\/my-org\/shop\/pulls/);
  });

  it('is named by the addresses of its pages too', async () => {
    await github.commit('alice/own', { branch: 'feature/look', from: 'main', files: { 'docs/a.md': 'x' } });
    await github.addFork('alice/own', 'bob/own');
    await github.commit('alice/own', { branch: 'asked', from: 'main', files: { 'b.md': 'x' } });
    await github.addPull('alice/own', { number: 3, from: 'alice/own:asked' });
    for (const [page, name, branch] of [
      ['', 'page', null],
      ['?tab=readme#top', 'page-tab', null],
      ['/tree/feature/look', 'page-branch', 'feature/look'],
      ['/tree/feature/look/docs', 'page-folder', 'feature/look'],
      ['/tree/main/docs', 'page-main', 'main'],
      ['/tree/no/branch', 'page-none', 'no/branch'],
      ['/pull/3/files', 'page-pull', 'asked'],
    ] as const) {
      const created = await create(`${at}/alice/own${page}`, name);
      assert.equal(created.exitCode, 0, created.stderr);
      assert.deepEqual(await repositoryOf(name), { url: 'alice/own.git', branch, is_fork: false });
    }
    const issue = await create(`${at}/alice/own/issues/3`, 'issue');
    assert.equal(issue.exitCode, 2);
    assert.match(
      issue.stderr,
      /own\/issues\/3 is a page of a repository, but not.*\n {2}→ nexus workspace create alice\/own\n/,
    );
    const hidden = await create(`${at}/my-org/hidden/tree/main`, 'hidden');
    assert.equal(hidden.exitCode, 5);
    assert.match(
      hidden.stderr,
      /my-org\/hidden does not exist or you may not see it\.\n {2}→ https:\/\/.*\/my-org\/hidden\n/,
    );
  });

  it('that may not be seen does not exist either, and the page is named', async () => {
    for (const repository of ['my-org/hidden', 'my-org/nothing']) {
      const failed = await create(repository, 'hidden');
      assert.equal(failed.exitCode, 5);
      assert.match(
        failed.stderr,
        /✖ Could not create workspace hidden\n {2}The repository my-org\/\w+ does not exist or you may not see it\.\n/,
      );
      assert.match(failed.stderr, /→ https:\/\/.*\/my-org\/\w+/);
    }
  });

  it('is not looked for while GitHub is away, and nothing is made', async () => {
    github.goDown('bad_gateway', { parts: ['api'] });
    const failed = await create('alice/own', 'away');
    github.comeBack();
    assert.equal(failed.exitCode, 1);
    assert.match(failed.stderr, /GitHub cannot be reached/);
    const { stdout } = await world.run(['workspace', 'list', '--json'], { env: signedIn });
    assert.ok(!(JSON.parse(stdout) as { name: string }[]).some(({ name }) => name === 'away'));
  });
});
