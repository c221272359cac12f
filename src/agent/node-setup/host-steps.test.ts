import assert from 'node:assert/strict';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { NexusError } from '../../contract/errors.ts';
import { enginePackagesStep } from './engine-packages.ts';
import { engineRunningStep, engineVersion } from './engine-running.ts';
import { systemStep } from './system-step.ts';

const quiet = (): void => undefined;

let folder = '';
const path = process.env['PATH'] ?? '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'nexus-host-'));
  process.env['PATH'] = `${folder}:${path}`;
});
afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true });
});

async function program(name: string, script: string): Promise<void> {
  await writeFile(join(folder, name), `#!/bin/sh\n${script}\n`);
  await chmod(join(folder, name), 0o755);
}

async function file(name: string, content: string): Promise<string> {
  await writeFile(join(folder, name), content);
  return join(folder, name);
}

describe('the system', () => {
  it('is Debian or Ubuntu, or derived from them', async () => {
    for (const id of ['ID=debian', 'ID=ubuntu\nID_LIKE=debian', 'ID=linuxmint\nID_LIKE="ubuntu debian"'])
      assert.equal(await systemStep({ osRelease: await file('os-release', id), userId: 0 }).check(), null);
  });

  it('is refused by name when it is another', async () => {
    const osRelease = await file('os-release', 'PRETTY_NAME="Fedora Linux 40"\nID=fedora\n');
    const step = systemStep({ osRelease, userId: 0 });
    assert.match((await step.check())?.detail ?? '', /this is Fedora Linux 40/);
    await assert.rejects(step.apply(quiet), { code: 'provider_unavailable' });
    assert.match((await systemStep({ osRelease: '/no/such/file' }).check())?.detail ?? '', /this is linux/);
  });

  it('needs root', async () => {
    const step = systemStep({ osRelease: await file('os-release', 'ID=debian'), userId: 1000 });
    assert.equal((await step.check())?.fix, 'sudo nexus node setup');
    await assert.rejects(step.apply(quiet), /it needs root/);
    assert.ok(step.describe());
  });
});

describe('the engine’s packages', () => {
  /** An apt that installs by making programs of the packages' names. */
  async function apt(available: readonly string[]): Promise<void> {
    const known = available.join('|');
    await program('apt-cache', `case $2 in ${known}) echo '  Candidate: 1.0' ;; *) echo '  Candidate: (none)' ;; esac`);
    await program(
      'apt-get',
      `echo "apt-get $*" >> ${folder}/log
for last; do :; done
case "$*" in *' install '*) cd ${folder}; for tool in nft nsenter sysctl mmdebstrap btrfs; do touch $tool; done
  case $last in lxd) touch lxd ;; incus) touch incusd ;; esac ;; esac`,
    );
  }
  const step = (osRelease: string) => enginePackagesStep({ folders: [folder], osRelease, sockets: [] });
  it('are there when the programs are', async () => {
    await program('lxd', '');
    for (const tool of ['btrfs', 'mmdebstrap', 'nft', 'nsenter', 'sysctl']) await program(tool, '');
    assert.equal(await step('/etc/os-release').check(), null);
    assert.ok(step('/etc/os-release').describe());
  });

  it('are installed by apt', async () => {
    await apt(['lxd', 'incus']);
    const found = step(await file('os-release', 'ID=debian'));
    assert.match((await found.check())?.detail ?? '', /btrfs-progs, mmdebstrap, nftables/);
    await found.apply(quiet);
    assert.equal(await found.check(), null);
    const log = await readFile(join(folder, 'log'), 'utf8');
    assert.match(log, /update\n.* install --yes --no-install-recommends btrfs-progs/);
    assert.match(log, / lxd$/m);
  });

  it('are those of Incus on Ubuntu, or the snap of LXD', async () => {
    await apt(['lxd', 'incus']);
    const ubuntu = await file('os-release', 'ID=ubuntu');
    await step(ubuntu).apply(quiet);
    assert.match(await readFile(join(folder, 'log'), 'utf8'), / incus$/m);

    await rm(join(folder, 'incusd'));
    await apt(['lxd']);
    await assert.rejects(step(ubuntu).apply(quiet), /neither LXD nor Incus to install/);
    await program('snap', `echo "$@" > ${folder}/snapped; touch ${folder}/lxd`);
    await step(ubuntu).apply(quiet);
    assert.equal(await readFile(join(folder, 'snapped'), 'utf8'), 'install lxd\n');
    assert.equal(await step(ubuntu).check(), null);
  });

  it('say what apt said when it fails', async () => {
    await program('apt-get', "echo 'E: Could not get lock' >&2; exit 100");
    await assert.rejects(step('/etc/os-release').apply(quiet), (error) => {
      assert.ok(error instanceof NexusError);
      assert.equal(error.code, 'provider_unavailable');
      assert.match(error.message, /Could not get lock/);
      return true;
    });
  });
});

describe('the engine that should run', () => {
  const logFile = (): string => join(folder, 'log/engine.log');

  it('is told by its version, and missed when it does not answer', async () => {
    assert.equal(await engineVersion('/no/such/socket'), null);
    const step = engineRunningStep({ socketPath: '/no/such/socket' });
    assert.match((await step.check())?.detail ?? '', /neither LXD nor Incus answers/);
  });

  it('is not there to be started', async () => {
    const nothing = { socketPath: '/no/such/socket', folders: [folder], logFile: logFile() };
    const step = engineRunningStep({ ...nothing, systemdFolder: '/no/such/folder' });
    await assert.rejects(step.apply(quiet), /neither LXD nor Incus is installed/);
  });

  it('is started as a process where there is no systemd, and given up when it does not answer', async () => {
    await program('lxd', `echo "$@" > ${folder}/arguments; while [ ! -e ${folder}/arguments ]; do :; done`);
    const step = engineRunningStep({
      socketPath: '/no/such/socket',
      folders: [folder],
      logFile: logFile(),
      systemdFolder: '/no/such/folder',
      startTimeoutMs: 300,
    });
    await assert.rejects(step.apply(quiet), /did not answer 0\.3 s after its start; its log is .*engine\.log/);
    assert.equal(await readFile(join(folder, 'arguments'), 'utf8'), `--group root --logfile ${logFile()}\n`);
  });

  it('is started by systemd where that runs the machine', async () => {
    await mkdir(join(folder, 'systemd'));
    const withSystemd = { socketPath: '/no/such/socket', systemdFolder: join(folder, 'systemd'), startTimeoutMs: 0 };
    await program('systemctl', `echo "$@" >> ${folder}/log; case "$*" in 'cat incus') exit 0 ;; cat*) exit 1 ;; esac`);
    await assert.rejects(engineRunningStep(withSystemd).apply(quiet), /did not answer/);
    assert.match(await readFile(join(folder, 'log'), 'utf8'), /cat incus\nstart incus\n$/);

    await program('systemctl', 'case $1 in cat) exit 0 ;; esac; echo "Job failed" >&2; exit 1');
    await assert.rejects(engineRunningStep(withSystemd).apply(quiet), /Job failed/);
    await program('systemctl', 'exit 1');
    await assert.rejects(engineRunningStep(withSystemd).apply(quiet), /neither LXD nor Incus is installed/);
  });
});
