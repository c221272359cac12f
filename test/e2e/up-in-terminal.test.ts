/** `nexus up` as a new user sees it: the compiled program in a terminal, from an empty home, with a fake GitHub. */
import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { CliResult } from '../support/cli-world.ts';
import { createNewUserWorld, type GithubCliWorld } from '../support/github-cli-world.ts';
import { compiledProgram } from '../support/programs.ts';
import { screenOf } from '../support/terminal-screen.ts';

const [program = ''] = compiledProgram;
const clientId = 'Iv1.nexus';

type Scene = GithubCliWorld & {
  readonly env: Readonly<Record<string, string>>;
  /** Everything that stands on the terminal at the end. */
  inTerminal(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<string[]>;
};

/** There is no gh. */
async function createScene(): Promise<Scene> {
  const user = await createNewUserWorld({ program: compiledProgram, env: { NEXUS_GITHUB_CLIENT_ID: clientId } });
  const { github, world, bin } = user;
  github.addOauthApp({ clientId, clientSecret: 'secret', callbackUrl: 'http://127.0.0.1/auth/github/callback' });
  for (const name of ['sh', 'script', 'stty', 'id', 'git', 'ssh-keygen'])
    await symlink(execFileSync('which', [name], { encoding: 'utf8' }).trim(), join(bin, name));
  const env = {
    ...world.env,
    PATH: bin,
    SHELL: '/bin/sh',
    NEXUS_TOKEN: '',
    NEXUS_SERVER: '',
    NODE_EXTRA_CA_CERTS: github.bundleFile,
  };
  return {
    ...user,
    env,
    inTerminal(args, more = {}) {
      const words = `stty cols 100 rows 40; exec ${[program, ...args].join(' ')}`;
      const options = { env: { ...env, ...more }, cwd: world.home };
      return new Promise((resolve, reject) => {
        const child = execFile('script', ['-qec', words, '/dev/null'], options, (error, stdout) => {
          if (error) reject(new Error(stdout));
          else resolve(screenOf(stdout));
        });
        child.stdin?.end();
      });
    },
  };
}

/** Marks and titles of the list, whose times are all there. */
function stepsOn(screen: readonly string[]): string[] {
  return screen.flatMap((line) => {
    const step = /^(\S) (.+?) {2}\d+(?:\.\d)? s(?: {2}.*)?$/.exec(line);
    return step && /[✔✖!⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏]/.test(step[1] ?? '') ? [`${step[1]} ${step[2]}`] : [];
  });
}

const whole = ['✔ Sign in to GitHub', '✔ Set up your SSH key', '✔ Find the repository', '✔ Open VS Code over SSH'];

test('from nothing to an open editor: a code to type, and one list of what was done with its times', async () => {
  await using scene = await createScene();
  scene.github.browser('alice', { approvesDevices: true });
  scene.github.pollDevicesEvery(0);
  const first = await scene.inTerminal(['up', 'my-org/shop', '--server', scene.world.api.baseUrl]);
  const text = first.join('\n');
  assert.match(text, /^To sign in to \S+:\nType this code: [A-Z0-9]{4}-[A-Z0-9]{4}\nat https:/);
  assert.deepEqual(stepsOn(first), whole, text);
  assert.match(text, /^✔ Sign in to GitHub {2}\d+\.\d s {2}alice$/m);
  assert.match(text, /^✔ Find the repository {2}.*alice\/shop is your new fork of my-org\/shop$/m);
  assert.match(text, /^Workspace +shop[^]*^Editor +VS Code opens it$[^]*^Next$/m);
  const again = await scene.inTerminal(['up', 'my-org/shop']);
  assert.deepEqual(
    stepsOn(again),
    whole.filter((step) => !step.includes('key')),
  );
});

test('with a token of the environment nobody is asked anything; --json is the result alone', async () => {
  await using scene = await createScene();
  const { world, env } = scene;
  const args = ['up', 'my-org/shop', '--server', world.api.baseUrl];
  const without = await world.spawn(args, { env });
  assert.equal(without.exitCode, 4);
  assert.match(
    without.stderr,
    /✖ Could not sign in to GitHub\n {2}You are not signed in .*\n {2}→ export GITHUB_TOKEN=/,
  );
  const withToken = { ...env, ...scene.signedIn('alice') };
  const done = await world.spawn([...args, '--json'], { env: withToken });
  assert.equal(done.exitCode, 0, done.stderr);
  const result = JSON.parse(done.stdout) as Record<string, unknown>;
  assert.deepEqual([result['name'], result['editor'], result['opened']], ['shop', 'code', true]);
  assert.deepEqual(stepsOn(done.stderr.split('\n')), whole, done.stderr);
  const seen = await scene.inTerminal(['up', 'my-org/shop'], { GITHUB_TOKEN: withToken.GITHUB_TOKEN });
  assert.equal(stepsOn(seen).length, 3);
});

test('what fails stands last in the list, and says why', async () => {
  await using scene = await createScene();
  const { world, env } = scene;
  await writeFile(join(world.home, 'bin/ssh'), '#!/bin/sh\necho "No route to host" >&2; exit 255\n');
  const withToken = { ...env, ...scene.signedIn('alice') };
  const failed: CliResult = await world.spawn(['up', 'my-org/shop', '--server', world.api.baseUrl], { env: withToken });
  assert.equal(failed.exitCode, 1);
  assert.equal(stepsOn(failed.stderr.split('\n')).at(-1), '✖ Open VS Code over SSH');
  assert.match(
    failed.stderr,
    /✖ Could not open shop\n {2}ssh nexus-shop does not get in: No route to host\n {2}→ nexus doctor/,
  );
});

test('without an editor it is said that there is none', async () => {
  await using scene = await createScene();
  const { world, env } = scene;
  await rm(join(world.home, 'bin/code'));
  const withToken = { ...env, ...scene.signedIn('alice') };
  const { exitCode, stderr } = await world.spawn(['up', 'my-org/shop', '--server', world.api.baseUrl], {
    env: withToken,
  });
  assert.equal(exitCode, 0, stderr);
  assert.match(stderr, /^! No editor was found: none of cursor, /m);
});
