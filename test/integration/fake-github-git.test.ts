/** Git over HTTPS at the fake GitHub: real repositories, GitHub's rules of who may. */
import assert from 'node:assert/strict';
import { execa } from 'execa';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { startFakeGithub } from '../support/fake-github/fake-github.ts';

test('private repositories are for those who may see them, and pushes for those who may write', async () => {
  await using github = await startFakeGithub();
  const home = await mkdtemp(join(tmpdir(), 'git-home-'));
  const env = { PATH: process.env['PATH'], HOME: home, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C', ...github.env };
  const git = (...args: string[]) => execa('git', args, { cwd: home, env, extendEnv: false, reject: false });
  try {
    for (const login of ['alice', 'bob', 'eve']) github.addUser(login);
    const [alice, bob, eve] = [github.addToken('alice'), github.addToken('bob'), github.addToken('eve')];
    const access = { alice: 'write', bob: 'read' } as const;
    await github.addRepository('my-org/secret', {
      private: true,
      files: { 'README.md': 'Psst', 'run.sh': '#!/bin/sh\n' },
      access,
    });
    const url = (token?: string): string =>
      `https://${token === undefined ? '' : `x-access-token:${token}@`}github.com/my-org/secret.git`;

    assert.match((await git('clone', url(), 'x')).stderr, /could not read Username|Authentication failed/);
    assert.match((await git('clone', url('gho_wrong'), 'x')).stderr, /Authentication failed/);
    assert.match((await git('clone', url(eve), 'x')).stderr, /Repository not found|repository '.*' not found/);
    const cloned = await git('clone', '--quiet', url(alice), 'mine');
    assert.equal(cloned.exitCode, 0, cloned.stderr);
    await writeFile(join(home, 'mine', 'new'), 'x'.repeat(2_000_000));
    await git('-C', 'mine', 'add', '-A');
    const identity = ['-c', 'user.name=A', '-c', 'user.email=a@example.com'];
    await git('-C', 'mine', ...identity, 'commit', '-qm', 'More');
    assert.match((await git('-C', 'mine', 'push', url(bob))).stderr, /403/);
    const pushed = await git('-C', 'mine', 'push', '--quiet', 'origin', 'HEAD:refs/heads/topic');
    assert.equal(pushed.exitCode, 0, pushed.stderr);
    assert.match((await git('ls-remote', url(bob))).stdout, /refs\/heads\/topic/);

    const used = github.gitAccesses.filter(({ service, status }) => service === 'git-receive-pack' && status === 200);
    assert.deepEqual([...new Set(used.map(({ token }) => token))], [alice]);
    github.revoke(alice);
    assert.match((await git('-C', 'mine', 'fetch')).stderr, /Authentication failed/);
  } finally {
    await rm(home, { recursive: true, force: true });
  }
});

test('pull requests have their refs', async () => {
  await using github = await startFakeGithub();
  github.addUser('alice');
  await github.addRepository('my-org/shop', { files: { a: '1' } });
  await github.addFork('my-org/shop', 'alice/shop');
  await github.commit('alice/shop', { branch: 'topic', from: 'main', files: { b: '2' } });
  await github.addPull('my-org/shop', { number: 3, from: 'alice/shop:topic' });
  const { stdout } = await execa('git', ['ls-remote', 'https://github.com/my-org/shop'], { env: github.env });
  assert.match(stdout, /refs\/pull\/3\/head/);
});
