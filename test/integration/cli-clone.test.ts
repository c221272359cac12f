/** `--clone`: the clone on the person's own machine, of real repositories at the fake GitHub. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it, test } from 'node:test';
import { execa } from 'execa';
import { neededScopes } from '../../src/contract/sign-in.ts';
import { addPrograms, createCliWorld } from '../support/cli-world.ts';
import type { CliResult, CliWorld } from '../support/cli-world.ts';
import type { FakeGithub } from '../support/fake-github/fake-github.ts';
import { createGithubCliWorld, type GithubCliWorld } from '../support/github-cli-world.ts';
import { startTrustedGithub } from '../support/trusted-github.ts';

const files = { 'README.md': 'Shop' };

describe('a clone on this machine', () => {
  let scene: GithubCliWorld;
  let github: FakeGithub;
  let world: CliWorld;
  let env: Record<string, string> = {};
  let token = '';
  let cwd = '';
  let count = 0;

  before(async () => {
    scene = await createGithubCliWorld();
    ({ github, world } = scene);
    github.addUser('alice', { name: 'Alice' });
    github.addUser('bob');
    await github.addRepository('alice/own', { files, private: true });
    await github.addRepository('my-org/shop', { files });
    await github.commit('my-org/shop', { branch: 'feature/new', from: 'main', files: { 'new.txt': 'x' } });
    env = scene.signedIn('alice');
    token = env['GITHUB_TOKEN'] ?? '';
  });
  after(() => scene[Symbol.asyncDispose]());
  beforeEach(async () => {
    cwd = join(world.home, `at-${(count += 1)}`);
    await mkdir(cwd);
  });

  function create(repository: string, ...more: string[]): Promise<CliResult> {
    const words = ['workspace', 'create', repository, '--name', `w-${count}`, '--no-wait', ...more];
    return world.spawn(words, { env, cwd });
  }
  const git = (folder: string, ...args: string[]): Promise<string> => world.git(join(cwd, folder), ...args);
  async function workspaceNames(): Promise<string[]> {
    const { stdout } = await world.spawn(['workspace', 'list', '--json'], { env });
    return (JSON.parse(stdout) as { name: string }[]).map(({ name }) => name);
  }
  const forksMade = (): number =>
    github.seen.filter(({ method, path }) => method === 'POST' && path.endsWith('/forks')).length;

  it('of a private repository has its name, and no token anywhere', async () => {
    const made = await create('alice/own', '--json', '--clone');
    assert.equal(made.exitCode, 0, made.stderr);
    assert.deepEqual((JSON.parse(made.stdout) as Record<string, unknown>)['clone'], {
      path: join(cwd, 'own'),
      is_new: true,
    });
    assert.equal(await readFile(join(cwd, 'own/README.md'), 'utf8'), 'Shop');
    assert.equal(await git('own', 'remote', 'get-url', 'origin'), `${github.enterpriseUrl}/alice/own.git`);
    assert.equal(github.gitAccesses.at(-1)?.token, token);
    assert.throws(() => execFileSync('grep', ['-r', token, cwd]), { status: 1 });
    assert.doesNotMatch(await readFile(join(cwd, 'own/.git/config'), 'utf8'), /helper/);
    assert.deepEqual(await readdir(cwd), ['own']);
  });

  it('of a fork comes from it and tracks the original; it is kept the next time, also when only the fork is known', async () => {
    const made = await create('my-org/shop', '--clone', 'src/shop', '--branch', 'feature/new');
    assert.equal(made.exitCode, 0, made.stderr);
    assert.match(made.stdout, /^It is cloned to .*\/src\/shop\.$/m);
    assert.equal(await git('src/shop', 'remote', 'get-url', 'origin'), `${github.enterpriseUrl}/alice/shop.git`);
    assert.equal(await git('src/shop', 'remote', 'get-url', 'upstream'), `${github.enterpriseUrl}/my-org/shop.git`);
    assert.equal(await git('src/shop', 'rev-parse', '--abbrev-ref', 'feature/new@{u}'), 'upstream/feature/new');
    await writeFile(join(cwd, 'src/shop/mine.txt'), 'mine');
    await git('src/shop', 'remote', 'remove', 'upstream');
    const again = await create('my-org/shop', '--clone', 'src/shop', '--name', 'again');
    assert.equal(again.exitCode, 0, again.stderr);
    assert.match(again.stdout, /^Your clone in .*\/src\/shop is kept as it is\.$/m);
    assert.equal(await readFile(join(cwd, 'src/shop/mine.txt'), 'utf8'), 'mine');
  });

  it('of a commit and of a pull request is on no branch', async () => {
    await github.addFork('my-org/shop', 'bob/shop');
    await github.commit('bob/shop', { branch: 'theirs', from: 'main', files: { 'theirs.txt': 'y' } });
    await github.addPull('my-org/shop', { number: 8, from: 'bob/shop:theirs' });
    const pull = await create('my-org/shop', '--branch', 'refs/pull/8/head', '--clone', 'pull');
    assert.equal(pull.exitCode, 0, pull.stderr);
    assert.equal(await readFile(join(cwd, 'pull/theirs.txt'), 'utf8'), 'y');
    const commit = await git('pull', 'rev-parse', 'origin/main');
    const made = await create('my-org/shop', '--branch', commit, '--clone', 'commit', '--name', 'commit');
    assert.equal(made.exitCode, 0, made.stderr);
    assert.equal(await git('commit', 'rev-parse', 'HEAD'), commit);
  });

  it('goes into an empty folder, which may be this one', async () => {
    const before = (await stat(cwd)).ino;
    const made = await create('alice/own', '--clone', '.');
    assert.equal(made.exitCode, 0, made.stderr);
    assert.deepEqual([(await stat(cwd)).ino, await readFile(join(cwd, 'README.md'), 'utf8')], [before, 'Shop']);
  });

  it('is refused where something else is, before anything is made', async () => {
    await github.addRepository('other-org/tool', { files });
    await github.addRepository('other-org/web', { files });
    await writeFile(join(cwd, 'file'), '');
    await mkdir(join(cwd, 'full/below'), { recursive: true });
    assert.equal((await create('other-org/tool', '--no-fork', '--clone', 'tool', '--name', 'tool')).exitCode, 0);
    await world.git(cwd, 'init', '--quiet', 'alone');
    const forks = forksMade();
    for (const [folder, why] of [
      ['file', /\/file is a file/],
      ['full', /\/full holds other files/],
      ['full/..', /holds other files/],
      ['tool', /\/tool is a clone of https:.*\/other-org\/tool\.git/],
      ['alone', /\/alone is a repository that was cloned from nowhere/],
    ] as const) {
      const refused = await create('other-org/web', '--clone', folder, '--name', 'refused');
      assert.equal(refused.exitCode, 6, `${folder}: ${refused.stderr}`);
      assert.match(refused.stderr, why);
      assert.match(refused.stderr, /→ nexus workspace create other-org\/web --clone .*-2$/m);
    }
    const here = await create(join(cwd, 'tool'), '--clone', 'elsewhere', '--name', 'refused');
    assert.equal(here.exitCode, 2);
    assert.match(here.stderr, /is a folder of this machine already/);
    assert.equal(forksMade(), forks);
    assert.ok(!(await workspaceNames()).includes('refused'));
  });

  it('that fails says what git said, and leaves nothing', async () => {
    github.goDown('bad_gateway', { parts: ['git'] });
    const failed = await create('alice/own', '--clone');
    github.comeBack();
    assert.equal(failed.exitCode, 1);
    assert.match(
      failed.stderr,
      /✖ Could not clone to .*\/own, but the workspace w-\d is made\n {2}https:.*\/alice\/own\.git could not be cloned to .*: .*502.*\n {2}→ git clone https:/,
    );
    assert.deepEqual(await readdir(cwd), []);
  });

  it('needs the repository before it', async () => {
    const confused = await world.spawn(['up', '--clone', 'alice/own'], { env, cwd });
    assert.equal(confused.exitCode, 2);
    assert.match(
      confused.stderr,
      /No repository is named: alice\/own is the folder of --clone\.\n {2}→ nexus up alice\/own --clone/,
    );
  });
});

test('gh answers for it, now and later, on GitHub’s genuine address', async () => {
  await using github = await startTrustedGithub();
  github.addUser('alice');
  await github.addRepository('alice/secret', { private: true, files });
  await using world = await createCliWorld({
    api: {
      authenticator: 'configured',
      env: { NEXUS_AUTH_MODE: 'github', NEXUS_GITHUB_API_URL: `${github.enterpriseUrl}/api/v3` },
    },
  });
  const env = { ...world.env, ...github.env, NEXUS_TOKEN: '', GH_CONFIG_DIR: join(world.home, 'gh') };
  const token = github.addToken('alice', { scopes: [...neededScopes] });
  await execa('gh', ['auth', 'login', '--with-token'], { env, extendEnv: false, input: token });
  const made = await world.spawn(['workspace', 'create', 'alice/secret', '--no-wait', '--clone'], { env });
  assert.equal(made.exitCode, 0, made.stderr);
  const folder = join(world.home, 'secret');
  assert.match(
    await readFile(join(folder, '.git/config'), 'utf8'),
    /^\[credential "https:\/\/github\.com"\]\n\thelper = ?\n\thelper = !gh auth git-credential$/m,
  );
  assert.throws(() => execFileSync('grep', ['-r', token, folder]), { status: 1 });
  const asked = { ...env, GIT_TERMINAL_PROMPT: '0' };
  await execa('git', ['-C', folder, 'fetch', 'origin'], { env: asked, extendEnv: false });
});

test('from a server without GitHub, the person’s own git is asked', async () => {
  await using world = await createCliWorld();
  const origin = await world.repository('origin');
  const url = `file://${origin}`;
  const made = await world.spawn(['workspace', 'create', url, '--no-wait', '--clone', 'here'], {});
  assert.equal(made.exitCode, 0, made.stderr);
  assert.equal(await world.git(join(world.home, 'here'), 'remote', 'get-url', 'origin'), url);
  const again = await world.spawn(['workspace', 'create', url, '--no-wait', '--clone', 'here', '--name', 'two'], {});
  assert.match(again.stdout, /is kept as it is/, again.stderr);
});

test('--connect opens the editor on what was made', async () => {
  await using world = await createCliWorld();
  world.api.settleAtOnce();
  const bin = await addPrograms(world, ['ssh', 'code']);
  const env = { PATH: `${bin}:${world.env['PATH']}` };
  const create = (...more: string[]): Promise<CliResult> =>
    world.spawn(['workspace', 'create', 'alice/tool', '--connect', ...more], { env });
  const unregistered = await create();
  assert.equal(unregistered.exitCode, 1);
  assert.match(unregistered.stderr, /No SSH key of yours is registered\.\n {2}→ nexus ssh setup\n/);
  await world.run(['ssh', 'setup']);
  const opened = await create();
  assert.equal(opened.exitCode, 0, opened.stderr);
  assert.match(opened.stdout, /^Editor +VS Code opens tool$/m);
  assert.equal(
    await readFile(join(world.home, 'code.args'), 'utf8'),
    '--remote ssh-remote+nexus-tool /home/dev/workspace\n',
  );
  const json = JSON.parse((await create('--json', '--name', 'other')).stdout) as Record<string, unknown>;
  assert.deepEqual([json['status'], json['editor'], json['opened']], ['running', 'code', true]);
  const both = await create('--no-wait', '--name', 'third');
  assert.equal(both.exitCode, 2);
});
