/** From a repository's name to an open editor, as a new user goes: with the compiled program, at a terminal. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import type { CommandResult } from '../support/installation.ts';
import {
  createJourneyWorld,
  scopes,
  startForeignServer,
  type JourneyWorld,
  type Person,
} from '../support/journey-world.ts';

const config = `version: "1.0"
name: shop
lifecycle:
  pre_start: git ls-remote origin >/dev/null
services:
  web: { command: "python3 -m http.server 3000", port: 3000, health_check: { type: http, path: / } }
`;
const files = { 'README.md': 'Shop', '.nexus/config.yaml': config };

describe('the journey', () => {
  let world: JourneyWorld;
  before(async () => {
    world = await createJourneyWorld();
    for (const login of ['alice', 'bob', 'carol', 'dora', 'eve', 'frank', 'grace', 'heidi'])
      world.github.addUser(login);
    await world.github.addRepository('my-org/shop', { files });
    await world.github.addRepository('my-org/secret', { private: true, files });
    await world.github.addRepository('carol/own', { private: true, files: { ...files } });
    await world.github.addFork('my-org/shop', 'dora/shop-of-dora');
  });
  after(() => world?.[Symbol.asyncDispose]());

  const up = (person: Person, repository: string, ...args: string[]): Promise<CommandResult> =>
    person.atTerminal('up', repository, '--server', world.nexus.url, ...args);

  it('somebody else’s repository, gh signed in, a key: forked, running, the editor open; the second time at once', async () => {
    const alice = await world.person('alice', { gh: 'signed in', key: true });
    const first = await up(alice, 'my-org/shop');
    assert.equal(first.exitCode, 0, first.stdout);
    assert.match(first.stdout, /alice\/shop is your new fork of my-org\/shop/);
    assert.equal(await alice.editorArgs(), '--remote ssh-remote+nexus-shop /home/dev/workspace');
    const remotes = await alice.run('ssh', [
      'nexus-shop',
      'cd workspace && git remote -v && git status -sb && git push --dry-run',
    ]);
    assert.equal(remotes.exitCode, 0, remotes.stderr);
    assert.match(
      remotes.stdout,
      /origin\thttps:\/\/github\.com\/alice\/shop\.git[^]*upstream\thttps:\/\/github\.com\/my-org\/shop/,
    );
    assert.match(remotes.stdout, /## main\.\.\.upstream\/main/);
    const again = await up(alice, 'my-org/shop');
    assert.equal(again.exitCode, 0, again.stdout);
    assert.doesNotMatch(again.stdout, /new fork/);
  });

  it('gh without a sign-in, no key: gh signs in by its own questions, a key is made', async () => {
    world.github.browser('bob', { approvesDevices: true });
    const bob = await world.person('bob', { gh: 'there', key: false });
    const { exitCode, stdout } = await up(bob, 'my-org/shop');
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /one-time code/);
    assert.match(stdout, /made a new key/i);
    assert.match(stdout, /bob\/shop is your new fork/);
  });

  it('gh signed in with the scopes of its own: it asks GitHub for more', async () => {
    world.github.addUser('lena');
    world.github.browser('lena', { approvesDevices: true });
    const lena = await world.person('lena', { gh: 'there', key: true });
    const token = world.github.addToken('lena', { scopes: ['repo', 'read:org', 'gist'] });
    await execa('gh', ['auth', 'login', '--with-token'], { env: lena.env, extendEnv: false, input: token });
    const { exitCode, stdout } = await up(lena, 'my-org/shop');
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /gh auth refresh --hostname github\.com --scopes user:email,admin:public_key/);
    assert.match(stdout, /lena\/shop is your new fork/);
  });

  it('no gh, no key, an own private repository: GitHub’s device flow', async () => {
    world.github.browser('carol', { approvesDevices: true });
    const carol = await world.person('carol', { gh: 'absent', key: false });
    const { exitCode, stdout } = await up(carol, 'https://github.com/carol/own');
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /[A-Z0-9]{4}-[A-Z0-9]{4}/);
    assert.doesNotMatch(stdout, /fork/);
  });

  it('an existing fork under another name is used', async () => {
    const dora = await world.person('dora', { gh: 'signed in', key: true });
    const { exitCode, stdout } = await up(dora, 'my-org/shop');
    assert.equal(exitCode, 0, stdout);
    assert.match(stdout, /dora\/shop-of-dora/);
  });

  it('two people at once with workspaces of one name: each has their own', async () => {
    const people = await Promise.all(
      ['frank', 'grace'].map((login) => world.person(login, { gh: 'signed in', key: true })),
    );
    const results = await Promise.all(people.map((person) => up(person, 'my-org/shop', '--name', 'team')));
    for (const { exitCode, stdout } of results) assert.equal(exitCode, 0, stdout);
    const ids = await Promise.all(
      people.map(async (person) => {
        const { stdout } = await person.run('ssh', ['nexus-team', 'echo $NEXUS_WORKSPACE_ID']);
        return stdout.trim();
      }),
    );
    assert.match(ids.join(' '), /^ws-\S+ ws-\S+$/);
    assert.notEqual(ids[0], ids[1]);
  });

  it('unattended, by a token: JSON at the end; with a token that has ended, what to do', async () => {
    const heidi = await world.person('heidi', { gh: 'absent', key: true });
    const token = world.github.addToken('heidi', { scopes });
    heidi.env['GITHUB_TOKEN'] = token;
    const { exitCode, stdout, stderr } = await heidi.nexus('up', 'my-org/shop', '--server', world.nexus.url, '--json');
    assert.equal(exitCode, 0, stderr);
    assert.equal((JSON.parse(stdout) as { status: string }).status, 'running');
    world.github.revoke(token);
    fails(await heidi.nexus('up', 'my-org/shop', '--server', world.nexus.url), {
      exitCode: 4,
      cause: /github\.com does not accept the token of GITHUB_TOKEN/,
      next: /^unset GITHUB_TOKEN$/,
    });
    const other = await world.person('heidi', { gh: 'signed in', key: true });
    world.github.revoke((await other.run('gh', ['auth', 'token'])).stdout.trim());
    fails(await up(other, 'my-org/shop'), {
      exitCode: 4,
      cause: /github\.com does not accept the token of gh/,
      next: /^nexus auth github --force$/,
    });
  });

  it('a private repository without access', async () => {
    const eve = await world.person('eve', { gh: 'signed in', key: true });
    fails(await up(eve, 'my-org/secret'), {
      exitCode: 5,
      cause: /The repository my-org\/secret does not exist or you may not see it/,
      next: /https:\/\/github\.com\/my-org/,
    });
  });

  for (const kind of ['refuse', 'bad_gateway'] as const)
    it(`GitHub away (${kind}) at each moment, and back: the cause is named, and the next try ends the journey`, async () => {
      const login = `ivan-${kind.replace('_', '-')}`;
      world.github.addUser(login);
      const ivan = await world.person(login, { gh: 'signed in', key: true });
      const failed: string[] = [];
      for (let after = 0; after < 40; after += 3) {
        world.github.goDown(kind, { after });
        const result = await up(ivan, 'my-org/shop', '--name', kind.replace('_', '-'));
        world.github.comeBack();
        if (result.exitCode === 0) break;
        failed.push(result.stdout);
        // A hook of the repository's that asks GitHub fails in its own words.
        assert.match(result.stdout, /GitHub|github\.com|The hook pre_start ended/);
        assert.match(result.stdout, /^ {2}→ \S/m);
      }
      assert.ok(failed.length >= 2, failed.join('\n'));
      const { exitCode, stdout } = await up(ivan, 'my-org/shop', '--name', kind.replace('_', '-'));
      assert.equal(exitCode, 0, stdout);
    });

  it('a server that is not there, is none of ours, is too old, or has a certificate that nobody vouches for', async () => {
    const eve = await world.person('eve', { gh: 'signed in', key: true });
    const at = (server: string): Promise<CommandResult> => eve.atTerminal('up', 'my-org/shop', '--server', server);
    fails(await at('http://127.0.0.1:1'), { exitCode: 7, cause: /127\.0\.0\.1:1/, next: /./ });
    await using foreign = await startForeignServer();
    fails(await at(foreign.httpUrl), { exitCode: 7, cause: /is not a Nexus server/, next: /./ });
    fails(await at(foreign.oldUrl), {
      exitCode: 1,
      cause: /The server is older than this nexus \(.*\): it does not know GET \/api\/v1\/auth/,
      next: /nexus server status/,
    });
    fails(await at(foreign.httpsUrl), { exitCode: 7, cause: /certificate/, next: /./ });
  });

  it('a full disk at home, and an ~/.ssh that cannot be written', async () => {
    for (const [name, folder, state, cause] of [
      ['judy', '', 'full', /no space left/i],
      ['kate', '.ssh', 'read-only', /read-only file system|cannot be written/i],
    ] as const) {
      world.github.addUser(name);
      const person = await world.person(name, { gh: 'absent', key: false });
      person.env['GITHUB_TOKEN'] = world.github.addToken(name, { scopes });
      await using _mounted = await person.mountAt(folder, state);
      fails(await up(person, 'my-org/shop'), { exitCode: 1, cause, next: /./ });
    }
  });
});

function fails(result: CommandResult, wanted: { exitCode: number; cause: RegExp; next: RegExp }): void {
  const said = result.stdout + result.stderr;
  assert.equal(result.exitCode, wanted.exitCode, said);
  assert.match(said, /^✖ /m);
  assert.match(said, wanted.cause);
  const next = /^ {2}→ (.*)$/m.exec(said)?.[1] ?? '';
  assert.match(next, wanted.next, said);
}
