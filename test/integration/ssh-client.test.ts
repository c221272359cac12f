/** The real OpenSSH client through the configuration that `nexus ssh config` writes, as people and editors use it. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { findSocket } from '../../src/agent/providers/lxc/find-socket.ts';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { editors } from '../../src/cli/editor/editors.ts';
import { startFreezableProxy } from '../support/freezable-proxy.ts';
import { createInstallation, isAlive, until } from '../support/installation.ts';
import type { CommandResult, Installation } from '../support/installation.ts';
import { sourceProgram } from '../support/programs.ts';
import { smallRepository } from '../support/small-repository.ts';

const skip = process.getuid?.() !== 0 ? 'needs root' : findSocket() === null && 'there is no LXD or Incus here';

/** Installs itself, listens where nobody outside can, and says where: what an editor's server does. */
const editorServer = `
mkdir -p ~/.editor-server && cd ~/.editor-server && echo 'from inside' > answer
python3 -u -m http.server 0 --bind 127.0.0.1 > log 2>&1 &
until port=$(sed -n 's/.* port \\([0-9]*\\) .*/\\1/p' log | grep .); do :; done
echo "listeningOn==$port=="
`;

describe('OpenSSH with the written configuration', { skip }, () => {
  let nexus: Installation;
  let view: WorkspaceView;

  before(async () => {
    nexus = await createInstallation({ program: sourceProgram });
    await nexus.startServer();
    assert.equal((await nexus.nexus(['ssh', 'setup', '--yes'])).exitCode, 0);
    const folder = await smallRepository(nexus, { name: 'shop' });
    const created = await nexus.nexus(['workspace', 'create', folder, '--name', 'shop', '--json']);
    assert.equal(created.exitCode, 0, created.stderr);
    view = JSON.parse(created.stdout) as WorkspaceView;
    assert.equal((await nexus.nexus(['ssh', 'config'])).exitCode, 0);
  });
  after(async () => {
    await endMaster();
    await nexus[Symbol.asyncDispose]();
  });

  const config = (): string => join(nexus.home, '.ssh/config');
  const withConfig = (...more: string[]): string[] => ['-F', config(), '-o', 'BatchMode=yes', ...more];
  function ssh(args: readonly string[], input?: string): Promise<CommandResult> {
    const options = { timeoutMs: 60_000, ...(input === undefined ? {} : { input }) };
    return nexus.run('ssh', [...withConfig(), ...args], options);
  }
  async function endMaster(...options: string[]): Promise<void> {
    await ssh([...options, '-O', 'exit', 'nexus-shop']);
  }
  async function masterPid(...options: string[]): Promise<number> {
    const { stderr } = await ssh([...options, '-O', 'check', 'nexus-shop']);
    return Number(/Master running \(pid=(\d+)\)/.exec(stderr)?.[1]);
  }

  it('runs a script that is piped to a shell, and ends as it does', async () => {
    const { exitCode, stdout, stderr } = await ssh(['nexus-shop', 'bash'], 'cd workspace\nls\necho no >&2\nexit 7\n');
    assert.deepEqual([exitCode, stdout, stderr], [7, 'README.md', 'no']);
  });

  it('opens further sessions over the first connection', async () => {
    const ends = await Promise.all([1, 2, 3].map(() => ssh(['nexus-shop', 'echo "$SSH_CONNECTION"'])));
    assert.equal(new Set(ends.map(({ stdout }) => stdout)).size, 1);
    assert.ok(isAlive(await masterPid()));
  });

  it('carries an editor: a server that a script starts, spoken to through a SOCKS port, beside other sessions', async () => {
    const socks = String(nexus.ports.services + 42);
    for (const own of [[], ['-o', 'ControlPath=none']]) {
      const args = withConfig(...own, '-T', '-D', socks, '-o', 'ConnectTimeout=15', 'nexus-shop', 'bash');
      const shell = spawn('ssh', args, { env: nexus.env, stdio: ['pipe', 'pipe', 'inherit'] });
      try {
        shell.stdin.write(editorServer);
        const [said] = (await once(shell.stdout, 'data')) as [Buffer];
        const port = /^listeningOn==(\d+)==/.exec(said.toString())?.[1];
        const url = `http://127.0.0.1:${port}/answer`;
        const asked = await nexus.run('curl', ['-sS', '--socks5-hostname', `127.0.0.1:${socks}`, url]);
        assert.deepEqual([asked.exitCode, asked.stdout], [0, 'from inside'], asked.stderr);
        assert.equal((await ssh(['nexus-shop', 'cat .editor-server/answer'])).stdout, 'from inside');
      } finally {
        shell.kill();
        await once(shell, 'exit');
        await ssh(['nexus-shop', 'pkill -f http.server']);
        await endMaster();
      }
    }
  });

  it('copies files with scp and sftp', async () => {
    const [there, back] = [join(nexus.home, 'there'), join(nexus.home, 'back')];
    const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7919) % 256));
    await writeFile(there, bytes);
    const copied = await nexus.run('scp', [...withConfig(), there, 'nexus-shop:workspace/copy']);
    assert.equal(copied.exitCode, 0, copied.stderr);
    const batch = `get workspace/copy ${back}\nrename workspace/copy workspace/renamed\nls workspace/renamed\n`;
    const fetched = await nexus.run('sftp', [...withConfig(), '-b', '-', 'nexus-shop'], { input: batch });
    assert.equal(fetched.exitCode, 0, fetched.stderr);
    assert.match(fetched.stdout, /^workspace\/renamed/m);
    assert.ok(bytes.equals(await readFile(back)));
  });

  it('gets over a connection that died in a sleep within its bound of keep-alive', async () => {
    await endMaster();
    await using proxy = await startFreezableProxy({ host: '127.0.0.1', port: view.ssh.port ?? 0 });
    // The written bound is a minute.
    const options = ['-o', `Port=${proxy.port}`, '-o', 'ServerAliveInterval=1', '-o', 'ServerAliveCountMax=2'];
    assert.equal((await ssh([...options, 'nexus-shop', 'true'])).exitCode, 0);
    assert.equal(proxy.connections(), 1);
    proxy.freeze();
    const woken = await ssh([...options, 'nexus-shop', 'echo awake']);
    assert.deepEqual([woken.exitCode, woken.stdout], [0, 'awake'], woken.stderr);
    const next = await ssh([...options, 'nexus-shop', 'echo again']);
    assert.deepEqual([next.stdout, next.stderr, proxy.connections()], ['again', '', 2]);
    await endMaster(...options);
  });

  it('takes no notice of the socket of a connection that was killed', async () => {
    assert.equal((await ssh(['nexus-shop', 'true'])).exitCode, 0);
    const pid = await masterPid();
    const { stdout } = await ssh(['-G', 'nexus-shop']);
    const socket = /^controlpath (.+)$/m.exec(stdout)?.[1] ?? '';
    process.kill(pid, 'SIGKILL');
    await until(async () => !isAlive(pid), 'the connection to be gone');
    assert.ok((await stat(socket)).isSocket());
    const next = await ssh(['nexus-shop', 'echo well']);
    assert.deepEqual([next.exitCode, next.stdout, next.stderr], [0, 'well', '']);
    assert.notEqual(await masterPid(), pid);
  });

  it('connects anew after the end of the gateway', async () => {
    const pid = await masterPid();
    await nexus.kill('gateway');
    await until(async () => !isAlive(pid), 'the connection to be noticed as gone');
    await until(async () => (await ssh(['nexus-shop', 'true'])).exitCode === 0, 'ssh to get in again');
    assert.notEqual(await masterPid(), pid);
  });

  it('is what every editor is started with', async () => {
    const bin = join(nexus.home, 'bin');
    await mkdir(bin);
    const windows = editors.filter(({ place }) => place === 'window');
    for (const { id, programs } of windows)
      await writeFile(join(bin, programs[0] ?? ''), `#!/bin/sh\necho "$@" > '${nexus.home}/${id}.args'\n`, {
        mode: 0o755,
      });
    for (const id of ['nvim', 'vim']) await writeFile(join(bin, id), '#!/bin/sh\n', { mode: 0o755 });
    const path = `PATH=${bin}:${process.env['PATH'] ?? ''}`;
    const connect = [...sourceProgram, 'workspace', 'connect', 'shop', '--editor'];
    for (const { id } of windows) {
      const opened = await nexus.run('env', [path, ...connect, id, '--json']);
      assert.equal(opened.exitCode, 0, opened.stderr);
      assert.match(await readFile(join(nexus.home, `${id}.args`), 'utf8'), /nexus-shop/);
    }
    for (const id of ['nvim', 'vim']) {
      const inTerminal = ['script', '-qec', [...connect, id].join(' '), '/dev/null'];
      const opened = await nexus.run('env', [path, ...inTerminal], { input: 'pwd; exit\n' });
      assert.match(opened.stdout, /\/home\/dev\/workspace/, id);
    }
  });
});
