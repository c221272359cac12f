import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import type { NexusError } from '../../src/contract/errors.ts';
import { engineInstances } from '../support/engine.ts';
import {
  configureCommand,
  createCommand,
  createLab,
  debian,
  labEnv,
  noEngine,
  type Lab,
} from '../support/agent-lab.ts';

describe('commands about an instance', { skip: noEngine }, () => {
  let lab: Lab;
  let keys: string;
  let address = '';
  let hostKey: string | null = null;

  async function newKey(name: string): Promise<string> {
    await execa('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', join(keys, name)]);
    return (await readFile(join(keys, `${name}.pub`), 'utf8')).trim();
  }

  function ssh(key: string, ...command: string[]) {
    const options = [
      'IdentitiesOnly=yes',
      'BatchMode=yes',
      'StrictHostKeyChecking=no',
      `UserKnownHostsFile=${keys}/known`,
    ];
    return execa('ssh', ['-i', join(keys, key), ...options.flatMap((o) => ['-o', o]), `dev@${address}`, ...command], {
      reject: false,
    });
  }

  before(async () => {
    keys = await mkdtemp(join(tmpdir(), 'nexus-keys-'));
    lab = await createLab({ started: false, sshdTimeoutMs: 5_000 });
  });
  after(async () => {
    await lab[Symbol.asyncDispose]();
    await rm(keys, { recursive: true, force: true });
  });

  it('observe an instance that is not there', async () => {
    const seen = await lab.run({ do: 'observe' });
    assert.equal(seen.instance, 'absent');
    assert.equal(seen.base, null);
  });

  it('say that they need one', async () => {
    await assert.rejects(lab.run({ do: 'start_instance' }), { code: 'not_found' });
    await assert.rejects(lab.run({ do: 'ensure_base', ...debian, provider: 'qemu' }), { code: 'provider_unavailable' });
  });

  it('create it stopped, once', async () => {
    const seen = await lab.run(createCommand);
    assert.equal(seen.instance, 'stopped');
    assert.deepEqual(seen.base, { image: 'debian:12', packages: [] });
    assert.equal((await lab.run(createCommand)).address, seen.address);
    await assert.rejects(lab.run(configureCommand), { code: 'workspace_not_running' });
    address = seen.address ?? '';
  });

  it('start it, also where an engine that died has left its network interface; again too', async () => {
    const link = `nx${lab.id.slice(-12)}`;
    await execa('ip', ['link', 'add', link, 'type', 'veth', 'peer', 'name', `left${process.pid}`]);
    const seen = await lab.run({ do: 'start_instance' });
    assert.equal(seen.instance, 'running');
    assert.equal(seen.configured, false);
    assert.equal((await lab.run({ do: 'start_instance' })).instance, 'running');
  });

  it('configure it: the key gets in, with the environment, and sudo', async () => {
    const key = await newKey('first');
    const env = { ...labEnv, ODD: 'a "b" $HOME `x` \\ # % é', PLAIN: 'a b=c' };
    const seen = await lab.run({
      ...configureCommand,
      ssh_keys: [key],
      env,
      git: { name: 'Al Ice', email: 'al@example.com' },
    });
    assert.equal(seen.configured, true);
    assert.match(seen.host_key ?? '', /^ssh-ed25519 AAAA/);
    hostKey = seen.host_key;

    const command = await ssh(
      'first',
      'printenv NEXUS_WORKSPACE_NAME PLAIN; sudo id -un; git config user.name; hostname',
    );
    assert.deepEqual(command.stdout.split('\n'), ['lab', 'a b=c', 'root', 'Al Ice', 'lab'], command.stderr);
    const login = await ssh('first', "bash -lc 'printenv ODD'");
    assert.equal(login.stdout, env.ODD);
    const known = await readFile(join(keys, 'known'), 'utf8');
    assert.ok(known.includes(hostKey ?? '?'));
  });

  it('replace the key: the old one is refused', async () => {
    const key = await newKey('second');
    await lab.run({ ...configureCommand, ssh_keys: [key] });
    assert.equal((await ssh('second', 'true')).exitCode, 0);
    assert.equal((await ssh('first', 'true')).exitCode, 255);
    const environment = await lab.shell('cat /etc/environment');
    assert.equal(environment.stdout.match(/NEXUS_WORKSPACE_NAME/g)?.length, 1);
    assert.doesNotMatch(environment.stdout, /PLAIN/);
  });

  it('leave the git identity that was chosen inside', async () => {
    await lab.shell('git config --file /home/dev/.gitconfig user.name Other');
    await lab.run({ ...configureCommand, git: { name: 'Al Ice', email: 'al@example.com' } });
    assert.equal((await lab.shell('git config --file /home/dev/.gitconfig user.name')).stdout, 'Other');
  });

  it('say that sshd does not come up, or says nothing', async () => {
    await lab.shell('systemctl mask --runtime --now ssh.service');
    assert.equal((await lab.run({ do: 'observe' })).configured, false);
    await assert.rejects(lab.run(configureCommand), (error: NexusError) => {
      assert.equal(error.code, 'container_not_ready');
      assert.match(error.message, /the SSH server \(its unit is inactive\) did not come up in 5 s/);
      return true;
    });
    await lab.shell(`systemd-run --unit mute python3 -c '
import socket
s = socket.create_server(("", 22))
while True: s.accept()[0].close()'`);
    await assert.rejects(lab.run(configureCommand), { code: 'container_not_ready' });
    await lab.shell('systemctl stop mute; systemctl unmask --runtime ssh.service; systemctl start ssh.service');
    assert.equal((await lab.run(configureCommand)).configured, true);
  });

  it('stop it, cleanly and again; the marks of the boot are gone, the host key stays', async () => {
    const stopped = await lab.run({ do: 'stop_instance', force: false });
    assert.equal(stopped.instance, 'stopped');
    assert.deepEqual(stopped.base, { image: 'debian:12', packages: [] });
    assert.equal((await lab.run({ do: 'stop_instance', force: true })).instance, 'stopped');
    const started = await lab.run({ do: 'start_instance' });
    assert.equal(started.configured, false);
    assert.equal((await lab.run(configureCommand)).host_key, hostKey);
  });

  it('know the base when the folder of the agent was lost', async () => {
    await lab.context.records.remove(lab.id);
    assert.deepEqual((await lab.run({ do: 'observe' })).base, { image: 'debian:12', packages: [] });
  });

  it('refuse text that cannot be put into a file', async () => {
    await assert.rejects(lab.run({ ...configureCommand, ssh_keys: ['a\0b'] }), { code: 'invalid_request' });
  });

  it('remove it with all that belongs to it, and again', async () => {
    assert.equal((await lab.run({ do: 'remove_instance' })).instance, 'absent');
    assert.deepEqual(await engineInstances(lab.id), []);
    assert.equal(await lab.context.records.read(lab.id), null);
    assert.equal((await lab.run({ do: 'remove_instance' })).instance, 'absent');
    assert.equal((await lab.run({ do: 'stop_instance', force: false })).instance, 'absent');
    await assert.rejects(
      lab.run({ do: 'run_hook', hook: 'up', command: 'true' }),
      (error: NexusError) => error.code === 'not_found',
    );
  });
});
