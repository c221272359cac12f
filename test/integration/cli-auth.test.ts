/** Signing in to GitHub, against the fake one on its genuine addresses, with a real server in GitHub mode. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, beforeEach, describe, it, test } from 'node:test';
import { createCliWorld } from '../support/cli-world.ts';
import { startFakeGithub } from '../support/fake-github/fake-github.ts';
import type { DeviceCodeInHand, FakeGithub } from '../support/fake-github/fake-github.ts';
import { createInstallation } from '../support/installation.ts';
import type { CommandResult, Installation } from '../support/installation.ts';
import { sourceProgram } from '../support/programs.ts';

const scopes = ['repo', 'read:org', 'user:email', 'admin:public_key'];
const clientId = 'Iv1.nexus';

/** Follows where it is sent, with one cookie. */
const browser = `
  let url = process.argv[2], cookie = '';
  for (;;) {
    const page = await fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {} });
    cookie = page.headers.get('set-cookie')?.split(';')[0] ?? cookie;
    const to = page.headers.get('location');
    if (!to) break;
    url = new URL(to, url).href;
  }`;

describe('signing in to GitHub', () => {
  let github: FakeGithub;
  let nexus: Installation;
  let bob: ReturnType<FakeGithub['addUser']>;
  let home = '';
  let count = 0;

  before(async () => {
    github = await startFakeGithub();
    github.addUser('alice', { name: 'Alice' });
    bob = github.addUser('bob');
    github.addOauthApp({ clientId, clientSecret: 'secret', callbackUrl: 'http://127.0.0.1/auth/github/callback' });
    nexus = await createInstallation({
      program: sourceProgram,
      env: { ...github.env, NODE_USE_ENV_PROXY: '1' },
      config: {
        auth: { mode: 'github' },
        github: { client_id: clientId, client_secret: 'secret' },
        node: { embedded: false },
      },
    });
    await nexus.startServer();
  });
  after(async () => {
    await nexus[Symbol.asyncDispose]();
    await github[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    home = join(nexus.home, String((count += 1)));
    await mkdir(join(home, '.ssh'), { recursive: true, mode: 0o700 });
  });

  /** With a home folder of its own. */
  function run(args: readonly string[], env: Record<string, string> = {}, input?: string): Promise<CommandResult> {
    const own = { HOME: home, NEXUS_HOME: join(home, '.nexus'), GH_CONFIG_DIR: join(home, 'gh'), ...env };
    const words = Object.entries(own).map(([name, value]) => `${name}=${value}`);
    return nexus.run('env', [...words, ...args], input === undefined ? {} : { input });
  }
  const runNexus = (args: readonly string[], env?: Record<string, string>): Promise<CommandResult> =>
    run([...sourceProgram, ...args], env);

  /** A PATH on which there is no gh, with programs of the test's own. */
  async function pathWithoutGh(own: Readonly<Record<string, string>> = {}): Promise<string> {
    const bin = join(home, 'bin');
    await mkdir(bin);
    for (const name of ['sh', 'script', 'env', 'ssh-keygen'])
      await symlink(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(bin, name));
    await symlink(process.execPath, join(bin, 'node'));
    for (const [name, script] of Object.entries(own)) {
      await writeFile(join(bin, name), `#!/bin/sh\n${script}\n`);
      await chmod(join(bin, name), 0o755);
    }
    return bin;
  }

  it('takes a token of the environment, which is also who one is at the server', async () => {
    const env = { GITHUB_TOKEN: github.addToken('alice', { scopes }) };
    const signedIn = await runNexus(['auth', 'github', '--json'], env);
    assert.equal(signedIn.exitCode, 0, signedIn.stderr);
    assert.deepEqual(JSON.parse(signedIn.stdout), {
      host: 'github.com',
      username: 'alice',
      token_from: 'GITHUB_TOKEN',
      scopes,
    });
    assert.match(await readFile(join(home, '.nexus/config.yaml'), 'utf8'), /username: alice/);
    const status = await runNexus(['auth', 'status'], env);
    assert.equal(status.exitCode, 0, status.stderr);
    assert.match(
      status.stdout,
      /^Server +alice at http:.* \(github mode\)\nGitHub +alice on github\.com \(the token is of GITHUB_TOKEN\)$/,
    );
    const logout = await runNexus(['auth', 'logout'], env);
    assert.match(logout.stderr, /You are still signed in, through GITHUB_TOKEN: unset GITHUB_TOKEN/);
  });

  it('asks gh, each time, and leaves its token to it', async () => {
    const login = ['gh', 'auth', 'login', '--with-token'];
    assert.equal((await run(login, {}, github.addToken('alice', { scopes }))).exitCode, 0);
    const signedIn = await runNexus(['auth', 'github']);
    assert.equal(signedIn.stdout, 'You are alice on github.com (the token is of gh).', signedIn.stderr);
    await assert.rejects(stat(join(home, '.nexus/credentials')));
    const logout = await runNexus(['auth', 'logout']);
    assert.equal(logout.stdout, 'Nexus kept no token of github.com.');
    assert.match(logout.stderr, /through gh: gh auth logout --hostname github\.com/);
  });

  it('has gh sign in where it is there and nobody is signed in', async () => {
    github.browser('alice', { approvesDevices: true });
    github.pollDevicesEvery(0);
    const words = [...sourceProgram, 'auth', 'github'].join(' ');
    // Without its questions, which want a real terminal's answers.
    const signedIn = await run(['script', '-qec', words, '/dev/null'], { GH_PROMPT_DISABLED: '1' });
    github.browser(null);
    assert.equal(signedIn.exitCode, 0, signedIn.stdout);
    assert.match(signedIn.stdout, /You are alice on github\.com \(the token is of gh\)/);
    await assert.rejects(stat(join(home, '.nexus/credentials')));
  });

  it('names missing scopes and the command that adds them', async () => {
    const token = github.addToken('alice', { scopes: ['repo', 'read:org', 'gist'] });
    assert.equal((await run(['gh', 'auth', 'login', '--with-token'], {}, token)).exitCode, 0);
    const lacking = await runNexus(['auth', 'github']);
    assert.equal(lacking.exitCode, 4);
    assert.match(lacking.stderr, /The token of alice \(from gh\) does not allow user:email, admin:public_key\./);
    assert.match(lacking.stderr, /→ gh auth refresh --hostname github\.com --scopes user:email,admin:public_key/);
    const own = await runNexus(['auth', 'github'], { GITHUB_TOKEN: github.addToken('alice', { scopes: ['repo'] }) });
    assert.match(own.stderr, /→ https:\/\/github\.com\/settings\/tokens/);
    const fine = await runNexus(['auth', 'github'], { GITHUB_TOKEN: github.addToken('alice', { scopes: null }) });
    assert.equal(fine.exitCode, 0, fine.stderr);
  });

  it('without a token and a terminal says what to do', async () => {
    const PATH = await pathWithoutGh();
    const failed = await runNexus(['auth', 'github'], { PATH });
    assert.equal(failed.exitCode, 4);
    assert.match(
      failed.stderr,
      /You are not signed in to github\.com, and there is no terminal.*\n {2}→ export GITHUB_TOKEN=/,
    );
    const status = await runNexus(['auth', 'status'], { PATH });
    assert.equal(status.exitCode, 4);
    assert.match(status.stdout, /^Server +nobody at .*\nGitHub +nobody on github\.com: you are not signed in here$/);
  });

  it('without gh shows a code, opens the browser, and keeps the token', async () => {
    const PATH = await pathWithoutGh({ browser: `echo "$1" > '${home}/opened'` });
    github.browser('alice', { approvesDevices: true });
    github.pollDevicesEvery(0);
    github.slowDown(1);
    const words = [...sourceProgram, 'auth', 'github'].join(' ');
    const signedIn = await run(['script', '-qec', words, '/dev/null'], { PATH, BROWSER: join(home, 'bin/browser') });
    assert.equal(signedIn.exitCode, 0, signedIn.stdout);
    assert.match(
      signedIn.stdout,
      /To sign in to github\.com:\r?\nType this code: [A-Z0-9]{4}-[A-Z0-9]{4}\r?\nin your browser, at https:\/\/github\.com\/login\/device/,
    );
    assert.match(signedIn.stdout, /You are alice on github\.com \(the token is of credentials\)/);
    assert.equal(await readFile(join(home, 'opened'), 'utf8'), 'https://github.com/login/device\n');
    const file = join(home, '.nexus/credentials');
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    assert.equal((await stat(dirname(file))).mode & 0o777, 0o700);
    assert.match((await runNexus(['auth', 'status'], { PATH })).stdout, /^Server +alice/);
    assert.equal((await runNexus(['auth', 'logout'], { PATH })).stdout, 'The token of github.com is forgotten here.');
    await assert.rejects(stat(file));
  });

  /** `auth github` at a terminal without gh; the code that it shows is in hand as soon as it is there. */
  async function atTerminal(own: Readonly<Record<string, string>> = {}): Promise<{
    code: DeviceCodeInHand;
    ended: Promise<CommandResult>;
  }> {
    github.browser(null);
    github.pollDevicesEvery(0);
    const PATH = await pathWithoutGh(own);
    const asked = github.nextDeviceCode();
    const words = [...sourceProgram, 'auth', 'github'].join(' ');
    const ended = run(['script', '-qec', words, '/dev/null'], { PATH, DISPLAY: ':0' });
    return { code: await asked, ended };
  }

  it('without gh says what GitHub made of the code', async () => {
    for (const [state, why] of [
      ['deny', /It was denied in the browser\.\s+→ nexus auth github/],
      ['expire', /The code was not typed in time\.\s+→ nexus auth github/],
    ] as const) {
      const { code, ended } = await atTerminal();
      code[state]();
      const failed = await ended;
      assert.equal(failed.exitCode, 4, failed.stdout);
      assert.match(failed.stdout, why);
      home = join(home, 'again');
      await mkdir(home);
    }
  });

  it('without gh waits for a GitHub that goes away meanwhile, and copies the code', async () => {
    const { code, ended } = await atTerminal({
      xclip: `read -r code; printf %s "$code" > '${home}/copied'`,
      'xdg-open': 'exit 3',
    });
    github.goDown('bad_gateway', { parts: ['web'] });
    code.approve('alice');
    // Until it was asked in vain.
    await github.nextStrike();
    github.comeBack();
    const signedIn = await ended;
    assert.equal(signedIn.exitCode, 0, signedIn.stdout);
    assert.match(
      signedIn.stdout,
      new RegExp(
        `Type this code \\(it is in your clipboard\\): ${code.userCode}\r?\nat https://github\\.com/login/device`,
      ),
    );
    assert.match(signedIn.stdout, /! GitHub does not answer at the moment; it is asked again\r?\n/);
    assert.equal(await readFile(join(home, 'copied'), 'utf8'), code.userCode);
  });

  it('without gh and without the device flow signs in in the browser, through the server', async () => {
    const app = { clientId, clientSecret: 'secret', callbackUrl: `${nexus.url}/auth/github/callback` };
    github.addOauthApp({ ...app, deviceFlow: false });
    const PATH = await pathWithoutGh();
    await writeFile(join(home, 'browser.mjs'), browser);
    const words = [...sourceProgram, 'auth', 'github'].join(' ');
    const own = { PATH, BROWSER: `node ${join(home, 'browser.mjs')}` };
    github.browser('alice');
    const signedIn = await run(['script', '-qec', words, '/dev/null'], own);
    github.browser('alice', { deniesWeb: true });
    const denied = await run(['script', '-qec', `${words} --force`, '/dev/null'], own);
    github.browser('alice');
    github.addOauthApp({ ...app, clientSecret: 'another', deviceFlow: false });
    const refused = await run(['script', '-qec', `${words} --force`, '/dev/null'], own);
    github.browser(null);
    github.addOauthApp(app);
    assert.match(
      refused.stdout,
      /The server could not sign you in \(unauthorized\); its log says why\.\s+→ nexus auth github/,
    );
    assert.equal(signedIn.exitCode, 0, signedIn.stdout);
    assert.match(
      signedIn.stdout,
      /To sign in to github\.com, go on in your browser, or open\r?\nhttp:.*code_challenge=/,
    );
    assert.match(signedIn.stdout, /You are alice on github\.com \(the token is of credentials\)/);
    assert.equal(denied.exitCode, 4, denied.stdout);
    assert.match(denied.stdout, /It was denied in the browser\.\s+→ nexus auth github/);
  });

  it('tells of each refused token what replaces it', async () => {
    const env = { GITHUB_TOKEN: 'gho_wrong' };
    const listed = await runNexus(['workspace', 'list'], env);
    assert.equal(listed.exitCode, 4);
    assert.match(listed.stderr, /You are not signed in: .*\n {2}→ unset GITHUB_TOKEN$/);
    const status = await runNexus(['auth', 'status', '--json'], env);
    assert.equal(status.exitCode, 4);
    const { server, github: own } = JSON.parse(status.stdout) as Record<string, Record<string, unknown>>;
    assert.deepEqual([server?.['mode'], server?.['username'], own?.['token_from']], ['github', null, 'GITHUB_TOKEN']);
    assert.match(String(own?.['problem']), /does not accept the token of GITHUB_TOKEN.* → unset GITHUB_TOKEN$/);
    const PATH = await pathWithoutGh();
    const nobody = await runNexus(['workspace', 'list'], { PATH });
    assert.match(nobody.stderr, /→ nexus auth github$/);
    const named = await runNexus(['workspace', 'list'], { PATH, NEXUS_TOKEN: 'nxl_wrong' });
    assert.match(named.stderr, /→ unset NEXUS_TOKEN$/);
    const forced = await runNexus(['auth', 'github', '--force'], env);
    assert.match(
      forced.stderr,
      /GITHUB_TOKEN is set, and counts before any other way to sign in\.\n {2}→ unset GITHUB_TOKEN$/,
    );
    const lacking = await runNexus(['auth', 'status'], {
      GITHUB_TOKEN: github.addToken('alice', { scopes: ['repo'] }),
    });
    assert.match(
      lacking.stdout,
      /GitHub +alice on .*: it does not allow read:org, .* → https:\/\/github\.com\/settings\/tokens$/,
    );
  });

  it('puts the SSH key on GitHub, once, and says when it is on another account', async () => {
    const env = { GITHUB_TOKEN: github.addToken('bob', { scopes }) };
    const first = await runNexus(['ssh', 'setup'], env);
    assert.equal(first.exitCode, 0, first.stderr);
    assert.match(first.stderr, /id_ed25519\.pub is on github\.com now/);
    const second = await runNexus(['ssh', 'setup'], env);
    assert.match(second.stderr, /id_ed25519\.pub is on github\.com$/m);
    // On the second page of them.
    const others = Array.from({ length: 120 }, (_, id) => ({ id, title: '', key: `ssh-rsa ${id}`, createdAt: '' }));
    bob.keys.unshift(...others);
    assert.match((await runNexus(['ssh', 'setup'], env)).stderr, /id_ed25519\.pub is on github\.com$/m);
    const file = join(home, '.ssh/taken');
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file]);
    github.addKey('alice', await readFile(`${file}.pub`, 'utf8'));
    const taken = await runNexus(['ssh', 'setup', '--yes', '--key-path', join(home, '.ssh/taken')], env);
    assert.equal(taken.exitCode, 0, taken.stderr);
    assert.match(
      taken.stderr,
      /! The key is not on github\.com: The key is on another account of github\.com.*\n {2}→ nexus ssh setup --generate --key-path ~\/\.ssh\/nexus --yes$/m,
    );
    const narrow = { GITHUB_TOKEN: github.addToken('bob', { scopes: ['repo'] }) };
    const refused = await runNexus(['ssh', 'setup', '--yes', '--key-path', join(home, '.ssh/id_ed25519')], narrow);
    assert.match(
      refused.stderr,
      /The token of GITHUB_TOKEN may not change your SSH keys on github\.com\.\n {2}→ https:\/\/github\.com\/settings\/tokens$/m,
    );
  });

  it('rides out a short outage, names a long one, a used-up rate and a token that was revoked', async () => {
    const token = github.addToken('alice', { scopes });
    const env = { GITHUB_TOKEN: token };
    github.limitRate({ kind: 'primary', status: 403, resetAt: new Date(Date.now() + 60_000) });
    const limited = await runNexus(['auth', 'github'], env);
    github.limitRate(null);
    assert.equal(limited.exitCode, 1);
    assert.match(limited.stderr, /GitHub's rate limit is used up until \d{4}-/);
    github.goDown('bad_gateway');
    const down = await runNexus(['auth', 'github'], env);
    github.comeBack();
    assert.match(down.stderr, /GitHub cannot be reached: https:\/\/api\.github\.com: it answered 502\./);
    github.goDown('refuse');
    const [cut, doctor] = [await runNexus(['auth', 'github'], env), await runNexus(['doctor'], env)];
    github.comeBack();
    assert.match(cut.stderr, /https:\/\/api\.github\.com: the connection was (?:reset|closed)\./);
    assert.match(doctor.stdout, /^✖ GitHub +GitHub cannot be reached: .*\n +→ https:\/\/www\.githubstatus\.com/m);
    assert.match((await runNexus(['doctor'], env)).stdout, /^✔ GitHub +alice on github\.com/m);
    assert.match((await runNexus(['doctor'])).stdout, /^✖ GitHub +nobody is signed in .*\n +→ nexus auth github$/m);
    github.revoke(token);
    const revoked = await runNexus(['auth', 'github'], env);
    assert.equal(revoked.exitCode, 4);
    assert.match(revoked.stderr, /github\.com does not accept the token of GITHUB_TOKEN.*\n {2}→ unset GITHUB_TOKEN/);
  });

  it('keeps the token from a server that is spoken to in clear over a network', async () => {
    const env = {
      GITHUB_TOKEN: github.addToken('alice', { scopes }),
      NEXUS_SERVER: nexus.url.replace('127.0.0.1', '0.0.0.0'),
    };
    const kept = await runNexus(['workspace', 'list'], { ...env, NO_PROXY: '*', no_proxy: '*' });
    assert.equal(kept.exitCode, 1);
    assert.match(kept.stderr, /Your GitHub token would go to http:\/\/0\.0\.0\.0:\d+ in clear\./);
    const allowed = { ...env, NO_PROXY: '*', no_proxy: '*', NEXUS_ALLOW_PLAIN_HTTP: '1' };
    const listed = await runNexus(['workspace', 'list'], allowed);
    assert.notEqual(listed.exitCode, 1, listed.stderr);
  });
});

test('a server in local mode asks no GitHub; one that is away is not waited for to sign out', async () => {
  await using world = await createCliWorld({ api: { authenticator: 'local' } });
  const env = { NEXUS_TOKEN: (await readFile(join(world.api.dataDir, 'local-token'), 'utf8')).trim() };
  const local = await world.run(['auth', 'status'], { env });
  assert.equal(local.exitCode, 0, local.stderr);
  assert.match(
    local.stdout,
    /^Server +alice at http:.* \(local mode\)\nGitHub +not asked by a server in local mode\n$/,
  );
  const away = { ...env, NEXUS_SERVER: 'http://127.0.0.1:1', PATH: join(world.home, 'nothing') };
  const unreachable = await world.run(['auth', 'status'], { env: away });
  assert.equal(unreachable.exitCode, 7);
  assert.match(
    unreachable.stdout,
    /^Server +nobody at .* cannot be reached.*\nGitHub +nobody on github\.com: you are not signed in here\n$/,
  );
  const credentials = join(world.home, '.nexus/credentials');
  await mkdir(dirname(credentials), { recursive: true });
  await writeFile(credentials, JSON.stringify({ 'github.example.com': { token: 'a' }, 'github.com': { token: 'b' } }));
  const out = await world.run(['auth', 'logout'], { env: away });
  assert.equal(out.stdout, 'The token of github.example.com, github.com is forgotten here.\n');
  assert.match(out.stderr, /through NEXUS_TOKEN: unset NEXUS_TOKEN\n$/);
  await assert.rejects(stat(credentials));
});
