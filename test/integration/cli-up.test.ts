/** `nexus up` against the real API in GitHub mode and the fake GitHub, with stand-ins for OpenSSH and the editor. */
import assert from 'node:assert/strict';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CliResult } from '../support/cli-world.ts';
import { createNewUserWorld, type GithubCliWorld } from '../support/github-cli-world.ts';

type Scene = GithubCliWorld & { up(...args: string[]): Promise<CliResult> };

async function createScene(env: Record<string, string> = {}): Promise<Scene> {
  const user = await createNewUserWorld({ env: { NEXUS_ADMINS: 'alice' } });
  const PATH = `${user.bin}:${process.env['PATH'] ?? ''}`;
  const signedIn = { ...user.signedIn('alice'), NEXUS_SERVER: '', PATH };
  return { ...user, up: (...args) => user.world.spawn(['up', ...args], { env: { ...signedIn, ...env } }) };
}

test('from a name and a server to an open editor; the second time nothing is done twice', async () => {
  await using scene = await createScene();
  const { world, github } = scene;
  const first = await scene.up('my-org/shop', '--server', world.api.baseUrl);
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(first.stderr, /^✔ Sign in to GitHub .* alice\n/);
  assert.match(first.stderr, /^✔ Set up your SSH key .*\/\.ssh\/id_ed25519\n/m);
  assert.match(first.stderr, /^✔ Open VS Code over SSH .*\n$/m);
  assert.match(first.stderr, /made a new key: .*\/\.ssh\/id_ed25519\n/);
  assert.match(first.stderr, /✔ Find the repository.*alice\/shop is your new fork of my-org\/shop/);
  assert.match(first.stdout, /^Editor +VS Code opens it$/m);
  assert.match(first.stdout, /^origin +https:.*\/alice\/shop\.git\nupstream +https:.*\/my-org\/shop\.git$/m);
  assert.match(first.stdout, /^ {2}gh pr create --repo my-org\/shop --head alice:/m);
  assert.equal(
    await readFile(join(world.home, 'code.args'), 'utf8'),
    '--remote ssh-remote+nexus-shop /home/dev/workspace\n',
  );
  assert.match(await readFile(join(world.home, '.nexus/config.yaml'), 'utf8'), /^server: http:\/\/127\.0\.0\.1:\d+$/m);
  assert.equal(github.seen.filter(({ method, path }) => method === 'POST' && path.endsWith('/user/keys')).length, 1);

  const again = await scene.up('my-org/shop', '--json');
  assert.equal(again.exitCode, 0, again.stderr);
  const { editor, opened, ssh_command } = JSON.parse(again.stdout) as Record<string, unknown>;
  assert.deepEqual([editor, opened, ssh_command], ['code', true, 'ssh nexus-shop']);
  assert.equal(world.api.asked.filter((one) => one.startsWith('nudge')).length, 1);
});

test('a stopped workspace is started; without an editor wanted none is opened', async () => {
  await using scene = await createScene();
  const { world } = scene;
  const address = ['--server', world.api.baseUrl];
  assert.equal((await scene.up('my-org/shop', ...address, '--no-editor', '--no-fork')).exitCode, 0);
  await assert.rejects(stat(join(world.home, 'code.args')));
  const env = scene.signedIn('alice');
  const down = await world.run(['workspace', 'down', 'shop'], { env });
  assert.equal(down.exitCode, 0, down.stderr);
  assert.equal((await scene.up('my-org/shop', '--no-editor', '--no-fork')).exitCode, 0);
  const shown = await world.run(['workspace', 'show', 'shop', '--json'], { env });
  assert.match(shown.stdout, /"status": "running"/);
});

test('on a second machine the key of the first is replaced when that is wanted', async () => {
  await using scene = await createScene();
  const { world } = scene;
  assert.equal((await scene.up('my-org/shop', '--server', world.api.baseUrl)).exitCode, 0);
  await rm(join(world.home, '.ssh'), { recursive: true });
  await rm(join(world.home, '.nexus'), { recursive: true });
  const other = await scene.up('my-org/shop', '--server', world.api.baseUrl);
  assert.equal(other.exitCode, 6);
  assert.match(other.stderr, /alice is registered already, with another key\.\n {2}→ nexus ssh setup --yes\n/);
  const replaced = await scene.up('my-org/shop', '--yes');
  assert.equal(replaced.exitCode, 0, replaced.stderr);
  assert.equal((await scene.up('my-org/shop')).exitCode, 0);
});

test('what is wrong is said before anything is done', async () => {
  await using scene = await createScene();
  const { world, github } = scene;
  const nothing = await scene.up('my-org/nothing', '--server', world.api.baseUrl);
  assert.equal(nothing.exitCode, 5);
  assert.match(
    nothing.stderr,
    /✖ Could not bring up my-org\/nothing\n {2}The repository my-org\/nothing does not exist or you may not see it\./,
  );
  const editor = await scene.up('my-org/shop', '--editor', 'emacs');
  assert.equal(editor.exitCode, 2);
  const away = await scene.up('my-org/shop', '--server', 'http://127.0.0.1:1');
  assert.equal(away.exitCode, 7);
  assert.match(away.stderr, /The Nexus server at http:\/\/127\.0\.0\.1:1 cannot be reached/);
  assert.equal(github.seen.filter(({ path }) => path.endsWith('/forks')).length, 0);
  assert.match(
    await readFile(join(world.home, '.nexus/config.yaml'), 'utf8'),
    new RegExp(`^server: ${world.api.baseUrl}$`, 'm'),
    'what is no server is not remembered',
  );
});

test('a workspace of another branch or repository than the one that is asked for is not opened in its place', async () => {
  await using scene = await createScene();
  const { github } = scene;
  await github.commit('my-org/shop', { branch: 'next', from: 'main', files: { 'README.md': 'Next' } });
  const address = ['--server', scene.world.api.baseUrl];
  const first = await scene.up('my-org/shop', ...address, '--no-fork', '--branch', 'main');
  assert.equal(first.exitCode, 0, first.stderr);
  const other = await scene.up('my-org/shop', '--no-fork', '--branch', 'next');
  assert.equal(other.exitCode, 6, other.stdout);
  assert.match(
    other.stderr,
    /The workspace shop is of main, not of next\.\n {2}→ nexus up my-org\/shop --branch next --no-fork --name shop-next\n/,
  );
  const page = await scene.up(`${github.enterpriseUrl}/my-org/shop/tree/next`, '--no-fork');
  assert.match(page.stderr, /\n {2}→ nexus up https:.*\/tree\/next --no-fork --name shop-next\n$/);
  const fork = await scene.up('my-org/shop');
  assert.equal(fork.exitCode, 6, fork.stdout);
  assert.match(
    fork.stderr,
    /The workspace shop is of my-org\/shop, not of alice\/shop\.\n {2}→ nexus up my-org\/shop --name shop-alice\n$/,
  );
  for (const again of [['--branch', 'main'], []])
    assert.equal((await scene.up('my-org/shop', '--no-fork', ...again)).exitCode, 0);
});

test('an administrator gets a workspace of their own, also where somebody else has one of its name', async () => {
  const env: Record<string, string> = {};
  await using scene = await createScene(env);
  const { world, github } = scene;
  github.addUser('bob');
  Object.assign(env, scene.signedIn('bob'));
  const address = ['--server', world.api.baseUrl];
  const bobs = await scene.up('my-org/shop', ...address, '--no-fork', '--json');
  assert.equal(bobs.exitCode, 0, bobs.stderr);
  for (const folder of ['.ssh', '.nexus']) await rm(join(world.home, folder), { recursive: true });
  Object.assign(env, scene.signedIn('alice'));
  const own = await scene.up('my-org/shop', ...address, '--no-fork', '--json');
  assert.equal(own.exitCode, 0, own.stderr);
  assert.equal((JSON.parse(own.stdout) as { owner: string }).owner, 'alice');
  const hosts = (await readFile(join(world.home, '.nexus/ssh/config'), 'utf8')).match(/^Host nexus-shop$/gm);
  assert.equal(hosts?.length, 1);
});

test('the next step at a server that is not there is for that server', async () => {
  await using scene = await createScene();
  const named = await scene.up('my-org/shop', '--server', 'nexus.invalid');
  assert.equal(named.exitCode, 7);
  assert.match(named.stderr, /\n {2}→ nexus up my-org\/shop --server https:\/\/nexus\.invalid\n$/);
  const byUrl = await scene.up('my-org/shop', '--server', 'https://nexus.invalid');
  assert.match(byUrl.stderr, /\n {2}→ NEXUS_SERVER=https:\/\/nexus\.invalid nexus doctor\n$/);
});

test('a home folder is not proposed to be committed', async () => {
  await using scene = await createScene();
  const { stderr } = await scene.world.spawn(['up'], { cwd: scene.world.home });
  assert.match(stderr, /is not in a git repository\.\n {2}→ nexus up OWNER\/REPO\n/);
});

test('without any server it is said how one is named', async (t) => {
  const isTaken = await fetch('http://127.0.0.1:3001/health').then(
    () => true,
    () => false,
  );
  if (isTaken) return t.skip('a server runs at the usual port of this machine');
  await using scene = await createScene();
  const nowhere = await scene.up('my-org/shop');
  assert.equal(nowhere.exitCode, 7);
  assert.match(
    nowhere.stderr,
    /No server is named, and none runs on this machine\.\n {2}→ nexus up my-org\/shop --server HOST/,
  );
});
