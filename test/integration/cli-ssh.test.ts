/** `nexus ssh`: keys, the OpenSSH configuration, and connecting. OpenSSH itself is stood in for where it would connect. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmod, lstat, mkdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { NexusError } from '../../src/contract/errors.ts';
import type { UserView } from '../../src/contract/user.ts';
import { updateWorkspace } from '../../src/server/store/workspaces.ts';
import { createCliWorld } from '../support/cli-world.ts';
import type { CliWorld } from '../support/cli-world.ts';

async function registered(world: CliWorld): Promise<string | null> {
  return (await world.api.client().call('getUser', { params: { username: 'alice' } })).ssh_pubkey_fingerprint;
}

function makeKey(file: string, ...args: string[]): string {
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-f', file, ...(args.length === 0 ? ['-N', ''] : args)]);
  return execFileSync('ssh-keygen', ['-lf', `${file}.pub`], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

async function createWorkspace(world: CliWorld, name: string): Promise<string> {
  const { workspace_id } = await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: name, repo: { owner: 'o', name: 'r' } } });
  await world.api.settle(workspace_id);
  return workspace_id;
}

test('a key is made, registered, remembered, and found again', async () => {
  await using world = await createCliWorld();
  const made = await world.run(['ssh', 'setup']);
  const key = join(world.home, '.ssh/id_ed25519');
  assert.equal(made.exitCode, 0, made.stderr);
  assert.equal(made.stderr, `made a new key: ${key}\n`);
  assert.match(made.stdout, /id_ed25519 \(SHA256:.{43}\) is the key of alice\.\nNext: nexus ssh config\n$/);
  assert.equal((await stat(key)).mode & 0o777, 0o600);
  assert.equal(await readFile(join(world.home, '.nexus/config.yaml'), 'utf8'), `ssh:\n  key_path: ${key}\n`);
  const again = await world.run(['ssh', 'setup', '--json']);
  assert.deepEqual([again.exitCode, again.stderr], [0, '']);
  assert.equal((JSON.parse(again.stdout) as UserView).ssh_pubkey_fingerprint, await registered(world));
});

test('a remembered key that is gone gives way to another, and then to a new one', async () => {
  await using world = await createCliWorld();
  assert.equal((await world.run(['ssh', 'setup'])).exitCode, 0);
  await rm(join(world.home, '.ssh'), { recursive: true });
  await mkdir(join(world.home, '.ssh'), { mode: 0o700 });
  const other = makeKey(join(world.home, '.ssh/id_rsa'));
  assert.equal((await world.run(['ssh', 'setup', '--yes'])).exitCode, 0);
  assert.equal(await registered(world), other);
  await rm(join(world.home, '.ssh'), { recursive: true });
  const made = await world.run(['ssh', 'setup', '--yes']);
  assert.equal(made.exitCode, 0, made.stderr);
  assert.notEqual(await registered(world), other);
});

test('the first of the usual keys is taken, and its public half made when it is missing', async () => {
  await using world = await createCliWorld();
  makeKey(join(world.home, '.ssh/id_rsa'));
  const fingerprint = makeKey(join(world.home, '.ssh/id_ecdsa'));
  await rm(join(world.home, '.ssh/id_ecdsa.pub'));
  assert.equal((await world.run(['ssh', 'setup'])).exitCode, 0);
  assert.equal(await registered(world), fingerprint);
});

test('the environment, an option and the file name other keys', async () => {
  await using world = await createCliWorld();
  const one = makeKey(join(world.home, 'one'));
  const two = makeKey(join(world.home, 'two'));
  assert.equal((await world.run(['ssh', 'setup'], { env: { NEXUS_SSH_KEY_PATH: '~/one' } })).exitCode, 0);
  assert.equal(await registered(world), one);
  const other = await world.run(['ssh', 'setup', '--key-path', '~/two.pub']);
  assert.equal(other.exitCode, 6);
  assert.match(
    other.stderr,
    /alice is registered already, with another key\.\n {2}→ nexus ssh setup --yes --key-path '~\/two\.pub'\n/,
  );
  const kept = await world.run(['ssh', 'setup', '--key-path', '~/two'], { terminal: 80, keys: 'n' });
  assert.equal(kept.exitCode, 130);
  assert.match(kept.stderr, /The registered key stays as it is/);
  assert.equal((await world.run(['ssh', 'setup', '--key-path', '~/two'], { terminal: 80, keys: 'y' })).exitCode, 0);
  assert.equal(await registered(world), two);
  assert.equal((await world.run(['ssh', 'setup', '--key-path', '~/one', '--yes'])).exitCode, 0);
  assert.equal((await world.run(['ssh', 'setup'])).exitCode, 0);
  assert.equal(await registered(world), one);
});

test('--generate makes another key, and writes over none', async () => {
  await using world = await createCliWorld();
  assert.equal((await world.run(['ssh', 'setup', '--generate', '--key-path', '~/keys/nexus'])).exitCode, 0);
  const again = await world.run(['ssh', 'setup', '--generate', '--key-path', '~/keys/nexus']);
  assert.equal(again.exitCode, 6);
  assert.match(again.stderr, /keys\/nexus is there already, and is not overwritten/);
  await mkdir(join(world.home, 'locked.pub'));
  const failed = await world.run(['ssh', 'setup', '--generate', '--key-path', '/proc/nexus']);
  assert.equal(failed.exitCode, 1);
});

test('a key that cannot be used says why', async () => {
  await using world = await createCliWorld();
  const missing = await world.run(['ssh', 'setup', '--key-path', '~/nothing']);
  assert.equal(missing.exitCode, 5);
  assert.match(missing.stderr, /There is no SSH key .*nothing\.\n {2}→ nexus ssh setup --generate --key-path/);
  makeKey(join(world.home, 'locked'), '-N', 'secret');
  await writeFile(join(world.home, 'locked.pub'), 'ssh-dss AAAA');
  assert.match(
    (await world.run(['ssh', 'setup', '--key-path', '~/locked'])).stderr,
    /locked\.pub must begin with its type/,
  );
});

test('a server that refuses the key for another reason is believed', async () => {
  await using world = await createCliWorld();
  const refused = await world.run(['ssh', 'setup'], { env: { NEXUS_TOKEN: 'token-mallory' } });
  assert.equal(refused.exitCode, 4);
  assert.match(refused.stderr, /You are not signed in: the token is not known\.\n {2}→ export NEXUS_TOKEN=/);
});

test('the OpenSSH configuration is written, included once, and kept up to date', async () => {
  await using world = await createCliWorld();
  await world.run(['ssh', 'setup']);
  const id = await createWorkspace(world, 'shop');
  await writeFile(join(world.home, 'dotfile'), 'Host mine\n', { mode: 0o640 });
  await symlink(join(world.home, 'dotfile'), join(world.home, '.ssh/config'));
  const written = await world.run(['ssh', 'config']);
  assert.equal(written.exitCode, 0, written.stderr);
  const config = join(world.home, '.nexus/ssh/config');
  assert.equal(
    written.stdout,
    `${config} is written, and included in ${join(world.home, '.ssh/config')}.\n  ssh nexus-shop\n`,
  );
  assert.ok((await lstat(join(world.home, '.ssh/config'))).isSymbolicLink());
  assert.equal(await readFile(join(world.home, 'dotfile'), 'utf8'), `Include ${config}\n\nHost mine\n`);
  assert.equal((await stat(join(world.home, 'dotfile'))).mode & 0o777, 0o640);
  assert.match(
    await readFile(config, 'utf8'),
    new RegExp(
      `^Host nexus-shop\\n  HostName 127\\.0\\.0\\.1\\n  Port 2222\\n[^]*IdentityFile ${world.home}/\\.ssh/id_ed25519\\n`,
      'm',
    ),
  );
  assert.equal(await readFile(join(world.home, '.nexus/ssh/known_hosts'), 'utf8'), `${id} ssh-ed25519 AAAA\n`);
  const again = await world.run(['ssh', 'config', '--json']);
  assert.deepEqual(JSON.parse(again.stdout), {
    config,
    known_hosts: join(world.home, '.nexus/ssh/known_hosts'),
    hosts: ['nexus-shop'],
  });

  await world.run(['workspace', 'down', 'shop']);
  assert.match(await readFile(config, 'utf8'), new RegExp(`ProxyCommand .* ssh --proxy ${id}`));
  await world.run(['workspace', 'rm', 'shop', '--yes']);
  assert.doesNotMatch(await readFile(config, 'utf8'), /Host nexus-shop/);
});

test('a new workspace says how it is reached from here', async () => {
  await using world = await createCliWorld();
  world.api.settleAtOnce();
  await world.run(['ssh', 'setup']);
  await world.run(['ssh', 'config']);
  const created = await world.run(['workspace', 'create', 'alice/tool']);
  assert.match(created.stdout, /^Next\n {2}ssh nexus-tool\n {2}nexus workspace logs tool --follow\n/m);
  assert.match(await readFile(join(world.home, '.nexus/ssh/config'), 'utf8'), /^Host nexus-tool$/m);
});

test('it is a new file when there was none, and not touched without being asked', async () => {
  await using world = await createCliWorld();
  await createWorkspace(world, 'shop');
  await rm(join(world.home, '.ssh'), { recursive: true });
  await world.run(['workspace', 'down', 'shop']);
  await assert.rejects(stat(join(world.home, '.nexus/ssh')));
  const written = await world.run(['ssh', 'config']);
  assert.equal(written.exitCode, 0, written.stderr);
  assert.equal((await stat(join(world.home, '.ssh/config'))).mode & 0o777, 0o600);
  assert.equal((await stat(join(world.home, '.ssh'))).mode & 0o777, 0o700);
  assert.equal(
    (await world.run(['ssh', 'config'])).stdout.split('\n')[0],
    `${join(world.home, '.nexus/ssh/config')} is written.`,
  );
  const known = await readFile(join(world.home, '.nexus/ssh/config'), 'utf8');
  assert.doesNotMatch(known, /IdentityFile/);
});

test('what cannot be brought up to date is said, and fails nothing', async () => {
  await using world = await createCliWorld();
  await createWorkspace(world, 'shop');
  await world.run(['ssh', 'config']);
  await rm(join(world.home, '.nexus/ssh'), { recursive: true });
  await writeFile(join(world.home, '.nexus/ssh'), 'in the way');
  const down = await world.run(['workspace', 'down', 'shop']);
  assert.equal(down.exitCode, 0);
  assert.match(down.stderr, /^! .*\.nexus\/ssh\/config could not be brought up to date: /m);
});

test('a long home is no place for sockets', async () => {
  await using world = await createCliWorld();
  await createWorkspace(world, 'shop');
  const env = { NEXUS_HOME: join(world.home, 'x'.repeat(60)) };
  await world.run(['ssh', 'config'], { env });
  assert.doesNotMatch(await readFile(join(env.NEXUS_HOME, 'ssh/config'), 'utf8'), /Control/);
});

/** An `ssh` that says what it was told, and ends with 7 (or dies). */
async function standIn(world: CliWorld, script = 'printf "%s\\n" "$@"; exit 7'): Promise<Record<string, string>> {
  const folder = join(world.home, 'bin');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'ssh'), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, 'ssh'), 0o755);
  return { PATH: `${folder}:${world.env['PATH']}` };
}

test('ssh is run with everything it needs to know, and its exit code is ours', async () => {
  await using world = await createCliWorld();
  await world.run(['ssh', 'setup']);
  const id = await createWorkspace(world, 'shop');
  const connected = await world.spawn(['ssh', 'shop', '--', 'ls', '-la'], { env: await standIn(world) });
  assert.equal(connected.exitCode, 7, connected.stderr);
  const hosts = join(world.home, '.nexus/ssh/hosts', id);
  const args = connected.stdout.split('\n').filter((line) => line !== '-o' && line !== '');
  const proxy = args.find((arg) => arg.startsWith('ProxyCommand='));
  assert.match(proxy ?? '', new RegExp(`main\\.ts ssh --proxy ${id}$`));
  assert.deepEqual(
    args.filter((arg) => arg !== proxy),
    [
      'User=dev',
      `HostKeyAlias=${id}`,
      `UserKnownHostsFile=${hosts}`,
      'GlobalKnownHostsFile=/dev/null',
      'StrictHostKeyChecking=yes',
      `IdentityFile=${join(world.home, '.ssh/id_ed25519')}`,
      'IdentitiesOnly=yes',
      'ServerAliveInterval=15',
      'ControlPath=none',
      'nexus-shop',
      '--',
      'ls',
      '-la',
    ],
  );
  assert.equal(await readFile(hosts, 'utf8'), `${id} ssh-ed25519 AAAA\n`);
  const killed = await world.spawn(['ssh'], { env: await standIn(world, 'kill -TERM $$') });
  assert.equal(killed.exitCode, 143);
});

test('without a registered key ssh is not tried', async () => {
  await using world = await createCliWorld();
  await createWorkspace(world, 'shop');
  const failed = await world.spawn(['ssh', 'shop'], { env: await standIn(world) });
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /No SSH key of yours is registered\.\n {2}→ nexus ssh setup\n/);
});

test('without OpenSSH it says what to install', async () => {
  await using world = await createCliWorld();
  await world.run(['ssh', 'setup']);
  await createWorkspace(world, 'shop');
  const failed = await world.spawn(['ssh', 'shop'], { env: { PATH: join(world.home, 'empty') } });
  assert.equal(failed.exitCode, 1);
  assert.match(
    failed.stderr,
    /✖ Could not reach shop with SSH\n {2}ssh cannot be run on this machine: .*\n {2}→ apt-get install openssh-client\n/,
  );
});

test('a workspace that is being made is waited for until its host key is known', async () => {
  await using world = await createCliWorld();
  await world.run(['ssh', 'setup']);
  const { workspace_id: id } = await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'o', name: 'r' } } });
  const connecting = world.spawn(['ssh', 'shop'], { env: await standIn(world) });
  await world.api.settle(id);
  assert.equal((await connecting).exitCode, 7);

  const { workspace_id: bad } = await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'bad', repo: { owner: 'o', name: 'r' } } });
  const error = new NexusError('container_start_failed', { instance: 'x', reason: 'no room' }).toBody();
  await world.api.store.transaction((tx) =>
    updateWorkspace(tx, bad, { status: 'error', error_json: JSON.stringify(error) }),
  );
  const failed = await world.run(['ssh', 'bad']);
  assert.equal(failed.exitCode, 1);
  assert.match(failed.stderr, /The instance x did not start: no room/);
});
