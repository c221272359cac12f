/** The genuine `gh` works with the fake GitHub, on GitHub's own addresses. */
import assert from 'node:assert/strict';
import { execa } from 'execa';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFakeGithub } from '../support/fake-github/fake-github.ts';
import type { FakeGithub } from '../support/fake-github/fake-github.ts';
import { publicKeys } from '../support/public-keys.ts';

type Run = (command: string, ...args: string[]) => Promise<{ exitCode: number; stdout: string; stderr: string }>;
type Scene = AsyncDisposable & { readonly github: FakeGithub; readonly home: string; readonly run: Run };

/** An empty home; a token signs in. */
async function createScene(token?: (github: FakeGithub) => string): Promise<Scene> {
  const github = await startFakeGithub();
  github.addUser('alice', { name: 'Alice' });
  const home = await mkdtemp(join(tmpdir(), 'gh-home-'));
  const env = {
    PATH: process.env['PATH'],
    HOME: home,
    NO_COLOR: '1',
    GIT_TERMINAL_PROMPT: '0',
    ...github.env,
    ...(token === undefined ? {} : { GH_TOKEN: token(github) }),
  };
  return {
    github,
    home,
    async run(command, ...args) {
      const { exitCode, stdout, stderr } = await execa(command, args, {
        env,
        extendEnv: false,
        reject: false,
        cwd: home,
        stdin: 'ignore',
      });
      return { exitCode: exitCode ?? 1, stdout, stderr };
    },
    async [Symbol.asyncDispose]() {
      await github[Symbol.asyncDispose]();
      await rm(home, { recursive: true, force: true });
    },
  };
}

const full = (github: FakeGithub): string =>
  github.addToken('alice', { scopes: ['repo', 'read:org', 'gist', 'admin:public_key'] });

test('gh auth status, auth token and api user', async () => {
  await using scene = await createScene(full);
  const status = await scene.run('gh', 'auth', 'status');
  assert.equal(status.exitCode, 0, status.stderr);
  assert.match(status.stderr + status.stdout, /Logged in to github\.com (?:as|account) alice/);
  const token = await scene.run('gh', 'auth', 'token');
  assert.match(token.stdout, /^gho_\w+$/);
  const user = await scene.run('gh', 'api', 'user', '--jq', '.login');
  assert.deepEqual([user.exitCode, user.stdout], [0, 'alice']);
  assert.ok(scene.github.seen.some(({ path, userAgent }) => path === '/graphql' && userAgent.startsWith('GitHub CLI')));
});

test('gh auth status with missing scopes, and with a revoked token', async () => {
  await using scene = await createScene((github) => github.addToken('alice', { scopes: ['gist'] }));
  const narrow = await scene.run('gh', 'auth', 'status');
  assert.match(narrow.stderr, /missing required scopes? /);
  const value = await scene.run('gh', 'auth', 'token');
  scene.github.revoke(value.stdout);
  const revoked = await scene.run('gh', 'auth', 'status');
  assert.equal(revoked.exitCode, 1);
  assert.match(revoked.stderr, /401|invalid|failed/i);
});

test('gh auth login goes through the device flow', async () => {
  await using scene = await createScene();
  const code = scene.github.nextDeviceCode();
  const login = scene.run('gh', 'auth', 'login', '--hostname', 'github.com', '--git-protocol', 'https', '--web');
  (await code).approve('alice');
  const { exitCode, stderr } = await login;
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, new RegExp((await code).userCode));
  const hosts = await readFile(join(scene.home, '.config/gh/hosts.yml'), 'utf8');
  assert.match(hosts, /user: alice/);
});

test('gh ssh-key add, once for each key of any account', async () => {
  await using scene = await createScene(full);
  const { ed25519, rsa } = publicKeys;
  await writeFile(join(scene.home, 'mine.pub'), `${ed25519.line}\n`);
  await writeFile(join(scene.home, 'other.pub'), `${rsa.line}\n`);
  const added = await scene.run('gh', 'ssh-key', 'add', 'mine.pub', '--title', 'laptop');
  assert.equal(added.exitCode, 0, added.stderr);
  assert.match((await scene.run('gh', 'ssh-key', 'list')).stdout, /^laptop\tssh-ed25519 AAAA/);
  scene.github.addUser('bob');
  scene.github.addKey('bob', rsa.line);
  const taken = await scene.run('gh', 'ssh-key', 'add', 'other.pub');
  assert.equal(taken.exitCode, 1);
  assert.match(taken.stderr, /key is already in use/);
});

test('gh ssh-key add says which scope is missing', async () => {
  await using scene = await createScene((github) => github.addToken('alice', { scopes: ['repo'] }));
  await writeFile(join(scene.home, 'mine.pub'), `${publicKeys.ed25519.line}\n`);
  const { exitCode, stderr } = await scene.run('gh', 'ssh-key', 'add', 'mine.pub');
  assert.equal(exitCode, 1);
  assert.match(stderr, /admin:public_key/);
});

test('gh repo fork, with a clone that has both remotes, and again', async () => {
  await using scene = await createScene(full);
  const { github, run } = scene;
  await github.addRepository('my-org/shop', { files: { 'README.md': 'Shop' } });
  // gh makes itself git's credential helper.
  await run('gh', 'auth', 'setup-git');
  const forked = await run('gh', 'repo', 'fork', 'my-org/shop', '--clone');
  assert.equal(forked.exitCode, 0, forked.stderr);
  assert.equal(github.repository('alice/shop').parent?.name, 'shop');
  const remotes = await run('git', '-C', 'shop', 'remote', '-v');
  assert.match(remotes.stdout, /origin\s+https:\/\/github\.com\/alice\/shop\.git/);
  assert.match(remotes.stdout, /upstream\s+https:\/\/github\.com\/my-org\/shop\.git/);
  const again = await run('gh', 'repo', 'fork', 'my-org/shop', '--clone=false');
  assert.equal(again.exitCode, 0, again.stderr);
  assert.throws(() => github.repository('alice/shop-1'));
  assert.equal((await run('gh', 'repo', 'view', 'my-org/none')).exitCode, 1);
});
