/** Which key `nexus ssh setup` takes, with the real ssh-keygen, ssh-agent, ssh and sshd. */
import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { execa } from 'execa';
import { createCliWorld } from '../support/cli-world.ts';
import type { CliWorld } from '../support/cli-world.ts';
import { makeSkKey } from '../support/sk-key.ts';

async function registered(world: CliWorld): Promise<string | null> {
  return (await world.api.client().call('getUser', { params: { username: 'alice' } })).ssh_pubkey_fingerprint;
}

/** @returns its fingerprint */
function makeKey(file: string, ...args: string[]): string {
  const how = args.includes('-N') ? args : ['-N', '', ...args];
  execFileSync('ssh-keygen', ['-q', ...(args.includes('-t') ? [] : ['-t', 'ed25519']), '-f', file, ...how]);
  return fingerprintOf(`${file}.pub`);
}

function fingerprintOf(file: string): string {
  return execFileSync('ssh-keygen', ['-lf', file], { encoding: 'utf8' }).split(' ')[1] ?? '';
}

type Agent = AsyncDisposable & { readonly env: Record<string, string>; add(file: string): void };

async function startAgent(world: CliWorld): Promise<Agent> {
  const socket = join(world.home, 'agent');
  const agent = spawn('ssh-agent', ['-D', '-a', socket], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(agent.stdout, 'data');
  const env = { SSH_AUTH_SOCK: socket };
  return {
    env,
    add: (file) => void execFileSync('ssh-add', ['-q', file], { env: { ...process.env, ...env } }),
    async [Symbol.asyncDispose]() {
      agent.kill();
      await once(agent, 'exit');
    },
  };
}

test('halves that do not belong together are no key; the command that mends them does', async () => {
  await using world = await createCliWorld();
  const [one, two] = [join(world.home, 'one'), join(world.home, 'two')];
  const fingerprint = makeKey(one, '-N', 'secret');
  makeKey(two);
  await cp(`${two}.pub`, `${one}.pub`);
  const failed = await world.run(['ssh', 'setup', '--key-path', one]);
  assert.equal(failed.exitCode, 1);
  assert.match(
    failed.stderr,
    /one\.pub is not the public half of .*\/one\.\n {2}→ ssh-keygen -y -f .*\/one > .*\/one\.pub$/m,
  );
  await rm(`${one}.pub`);
  const derived = await world.run(['ssh', 'setup', '--key-path', one]);
  assert.equal(derived.exitCode, 0, derived.stderr);
  assert.equal(await registered(world), fingerprint);
});

test('a usual key that cannot be used is passed by, and said; when there is no other, it is said what mends it', async () => {
  await using world = await createCliWorld();
  const ssh = join(world.home, '.ssh');
  await writeFile(join(ssh, 'id_ed25519'), 'no key at all');
  const failed = await world.run(['ssh', 'setup']);
  assert.equal(failed.exitCode, 1);
  assert.match(
    failed.stderr,
    /id_ed25519 is no private key that can be used: .*\n {2}→ nexus ssh setup --generate --key-path/,
  );
  const fingerprint = makeKey(join(ssh, 'id_rsa'), '-t', 'rsa', '-b', '2048');
  const passed = await world.run(['ssh', 'setup']);
  assert.equal(passed.exitCode, 0, passed.stderr);
  assert.match(passed.stderr, /^! .*id_ed25519 is no private key that can be used/);
  assert.equal(await registered(world), fingerprint);
});

test('of the older format with a passphrase, what stands beside it is believed', async () => {
  await using world = await createCliWorld();
  const file = join(world.home, 'old');
  const fingerprint = makeKey(file, '-t', 'rsa', '-b', '2048', '-m', 'PEM', '-N', 'secret');
  const taken = await world.run(['ssh', 'setup', '--key-path', file]);
  assert.equal(taken.exitCode, 0, taken.stderr);
  assert.equal(await registered(world), fingerprint);
  await rm(`${file}.pub`);
  const lacking = await world.run(['ssh', 'setup', '--key-path', file]);
  assert.equal(lacking.exitCode, 1);
  assert.match(
    lacking.stderr,
    /old\.pub is missing, and cannot be made without the key's passphrase\.\n {2}→ ssh-keygen -y -f/,
  );
});

test('a private key that others may read is closed to them', async () => {
  await using world = await createCliWorld();
  const file = join(world.home, '.ssh/id_ecdsa');
  makeKey(file, '-t', 'ecdsa');
  await chmod(file, 0o644);
  const mended = await world.run(['ssh', 'setup']);
  assert.equal(mended.exitCode, 0, mended.stderr);
  assert.match(mended.stderr, /^.*id_ecdsa was open to others \(mode 644\), and is not any more\n$/);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
});

test('a public half alone is a key when ssh-agent holds the other', async () => {
  await using world = await createCliWorld();
  await using agent = await startAgent(world);
  const file = join(world.home, '.ssh/id_ed25519');
  const fingerprint = makeKey(file);
  const away = join(world.home, 'away');
  await rename(file, away);
  const lacking = await world.run(['ssh', 'setup'], { env: agent.env });
  assert.equal(lacking.exitCode, 5);
  assert.match(
    lacking.stderr,
    /private half of .*id_ed25519\.pub is neither beside it nor in ssh-agent\.\n {2}→ nexus ssh setup --generate --key-path/,
  );
  assert.match((await world.run(['ssh', 'setup', '--generate'])).stderr, /id_ed25519\.pub is there already/);
  agent.add(away);
  const found = await world.run(['ssh', 'setup'], { env: agent.env });
  assert.equal(found.exitCode, 0, found.stderr);
  assert.equal(await registered(world), fingerprint);
  assert.match(found.stdout, /id_ed25519\.pub \(SHA256/);
});

test('the agent is the one that ssh is configured to ask', async () => {
  await using world = await createCliWorld();
  await using agent = await startAgent(world);
  const fingerprint = makeKey(join(world.home, 'away'));
  agent.add(join(world.home, 'away'));
  await writeFile(join(world.home, '.ssh/config'), `Host *\n  IdentityAgent "${agent.env['SSH_AUTH_SOCK']}"\n`);
  const found = await world.run(['ssh', 'setup']);
  assert.equal(found.exitCode, 0, found.stderr);
  assert.equal(await registered(world), fingerprint);
});

test('a key whose passphrase nobody can be asked for is why ssh does not get in', async () => {
  await using world = await createCliWorld();
  const file = join(world.home, '.ssh/id_ed25519');
  makeKey(file, '-N', 'secret');
  await world.run(['ssh', 'setup']);
  const { workspace_id } = await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'o', name: 'r' } } });
  await world.api.settle(workspace_id);
  const bin = join(world.home, 'bin');
  await mkdir(bin);
  const refusal = 'echo "dev@127.0.0.1: Permission denied (publickey)." >&2; exit 255';
  await writeFile(join(bin, 'ssh'), `#!/bin/sh\n${refusal}\n`, { mode: 0o755 });
  await writeFile(join(bin, 'code'), '#!/bin/sh\n', { mode: 0o755 });
  const connect = (more: Record<string, string>): Promise<{ stderr: string }> =>
    world.spawn(['workspace', 'connect', 'shop', '--editor', 'code'], {
      env: { PATH: `${bin}:${world.env['PATH']}`, ...more },
    });
  const without = await connect({ SSH_AUTH_SOCK: '' });
  assert.match(
    without.stderr,
    /does not get in: .*id_ed25519 has a passphrase, nobody can be asked.*\n {2}→ eval "\$\(ssh-agent\)" && ssh-add .*id_ed25519\n/,
  );
  await using agent = await startAgent(world);
  assert.match((await connect(agent.env)).stderr, /→ ssh-add .*id_ed25519\n/);
  execFileSync('ssh-keygen', ['-q', '-p', '-P', 'secret', '-N', '', '-f', file]);
  agent.add(file);
  assert.match((await connect(agent.env)).stderr, /does not get in: dev@.*Permission denied.*\n {2}→ nexus doctor\n/);
  // The agent alone has it, and then it has not.
  await world.run(['ssh', 'setup', '--yes', '--key-path', fingerprintOf(`${file}.pub`)], { env: agent.env });
  assert.match(
    (await connect({ SSH_AUTH_SOCK: '' })).stderr,
    /private half of .*id_agent\.pub is in ssh-agent alone, which does not hold it now\n {2}→ eval/,
  );
});

test('a key of a security token is registered without the token', async () => {
  await using world = await createCliWorld();
  const { privateFile, publicLine } = makeSkKey();
  const file = join(world.home, '.ssh/id_ed25519_sk');
  await writeFile(file, privateFile, { mode: 0o600 });
  const derived = execFileSync('ssh-keygen', ['-y', '-f', file], { encoding: 'utf8' });
  assert.ok(derived.startsWith(publicLine.split(' ', 2).join(' ')), derived);
  const alone = await world.run(['ssh', 'setup']);
  assert.equal(alone.exitCode, 0, alone.stderr);
  await writeFile(`${file}.pub`, `${publicLine}\n`);
  const whole = await world.run(['ssh', 'setup', '--key-path', `${file}.pub`, '--json']);
  assert.equal(whole.exitCode, 0, whole.stderr);
  assert.equal(await registered(world), fingerprintOf(`${file}.pub`));
});

test('a key that only ssh-agent holds is found, named by its fingerprint, and the one that ssh gets in with', async (t) => {
  await using world = await createCliWorld();
  await using agent = await startAgent(world);
  const folder = join(world.home, 'away');
  await mkdir(folder);
  const fingerprints = ['one', 'two'].map((name) => makeKey(join(folder, name), '-C', name));
  for (const name of ['one', 'two']) agent.add(join(folder, name));
  await rm(join(folder, 'one'));
  await rm(join(folder, 'two'));
  const first = await world.run(['ssh', 'setup'], { env: agent.env });
  assert.equal(first.exitCode, 0, first.stderr);
  assert.match(first.stderr, /^the key is one that ssh-agent holds: one\n/);
  assert.equal(await registered(world), fingerprints[0]);
  const second = await world.run(['ssh', 'setup', '--yes', '--key-path', fingerprints[1] ?? ''], { env: agent.env });
  assert.equal(second.exitCode, 0, second.stderr);
  assert.equal(await registered(world), fingerprints[1]);
  const unknown = await world.run(['ssh', 'setup', '--key-path', 'SHA256:none'], { env: agent.env });
  assert.equal(unknown.exitCode, 5);
  const doctor = await world.run(['doctor'], { env: agent.env });
  assert.doesNotMatch(doctor.stdout, /open to others|another key than/);

  // As root it wants its folder, which the service makes.
  if (existsSync('/usr/sbin/sshd') && (process.getuid?.() !== 0 || existsSync('/run/sshd')))
    await getInWith(world, agent, join(folder, 'two.pub'));
  else t.diagnostic('not tried at a real sshd: there is none on this machine');
});

/** At an sshd that takes this key alone and hangs up after one that it does not take. */
async function getInWith(world: CliWorld, agent: Agent, publicFile: string): Promise<void> {
  const { workspace_id } = await world.api
    .client()
    .call('createWorkspace', { body: { workspace_name: 'shop', repo: { owner: 'o', name: 'r' } } });
  await world.api.settle(workspace_id);
  assert.equal((await world.run(['ssh', 'config'], { env: agent.env })).exitCode, 0);
  const config = join(world.home, '.nexus/ssh/config');
  assert.match(await readFile(config, 'utf8'), /IdentityFile .*\/id_agent\.pub\n {2}IdentitiesOnly yes\n/);

  await using sshd = await startSshd(world, publicFile);
  const own = {
    User: userInfo().username,
    HostName: '127.0.0.1',
    Port: String(sshd.port),
    StrictHostKeyChecking: 'no',
    UserKnownHostsFile: '/dev/null',
    ControlPath: 'none',
    BatchMode: 'yes',
  };
  const options = Object.entries(own).flatMap(([key, value]) => ['-o', `${key}=${value}`]);
  const entered = await execa('ssh', [...options, '-F', config, 'nexus-shop', 'echo', 'in'], {
    env: { ...world.env, ...agent.env },
    extendEnv: false,
    reject: false,
  });
  assert.equal(entered.stdout, 'in', entered.stderr);
}

async function startSshd(world: CliWorld, authorized: string): Promise<AsyncDisposable & { port: number }> {
  const folder = join(world.home, 'sshd');
  await mkdir(folder);
  makeKey(join(folder, 'host'));
  const port = await freePort();
  const lines = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${folder}/host`,
    `AuthorizedKeysFile ${authorized}`,
    'StrictModes no',
    'MaxAuthTries 1',
    'PidFile none',
    'UsePAM no',
  ];
  await writeFile(join(folder, 'config'), `${lines.join('\n')}\n`);
  const child = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  for await (const chunk of child.stderr) {
    said += String(chunk);
    if (said.includes('Server listening')) break;
  }
  assert.match(said, /Server listening/);
  return {
    port,
    async [Symbol.asyncDispose]() {
      child.kill();
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
