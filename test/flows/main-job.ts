/**
 * The main job, as its user does it: from a folder to a running workspace whose services are healthy, reached over
 * HTTP and SSH, stopped, started and deleted. Run on the sources (for coverage) and on the compiled program.
 */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInstallation, until, type Installation } from '../support/installation.ts';
import { engineInstances } from '../support/engine.ts';
import { repositoryRoot } from '../support/programs.ts';
import type { WorkspaceView } from '../../src/contract/workspace.ts';

export function mainJob(program: readonly string[]): void {
  describe('the main job', () => {
    let nexus: Installation;
    let shop: WorkspaceView;

    before(async () => {
      nexus = await createInstallation({ program });
      await nexus.startServer();
    });
    after(async () => {
      await nexus[Symbol.asyncDispose]();
    });

    async function view(name: string): Promise<WorkspaceView> {
      const { exitCode, stdout, stderr } = await nexus.nexus(['workspace', 'show', name, '--json']);
      assert.equal(exitCode, 0, stderr);
      return JSON.parse(stdout) as WorkspaceView;
    }

    it('makes and registers an SSH key', async () => {
      const { exitCode, stderr } = await nexus.nexus(['ssh', 'setup', '--yes']);
      assert.equal(exitCode, 0, stderr);
      const again = await nexus.nexus(['ssh', 'setup', '--yes']);
      assert.equal(again.exitCode, 0, again.stderr);
      assert.match(await readFile(join(nexus.home, '.ssh/id_ed25519.pub'), 'utf8'), /^ssh-ed25519 /);
    });

    it('creates a workspace with three healthy services from a local folder', async () => {
      const created = await nexus.nexus(
        ['workspace', 'create', join(repositoryRoot, 'examples/shop'), '--name', 'shop', '--json'],
        {
          timeoutMs: 400_000,
        },
      );
      assert.equal(created.exitCode, 0, created.stderr);
      shop = await view('shop');
      assert.equal(shop.status, 'running');
      assert.deepEqual(shop.warnings, []);
      assert.deepEqual(Object.keys(shop.services).toSorted(), ['api', 'db', 'web']);
      for (const service of Object.values(shop.services)) {
        assert.equal(service.health, 'healthy', `${service.name}: ${JSON.stringify(service)}`);
      }
      assert.equal(shop.services['db']?.mapped_port, null, 'a database is not mapped on the host');
    });

    it('serves the web front at the URL it names', async () => {
      const url = shop.services['web']?.url;
      assert.ok(url);
      const response = await fetch(url);
      assert.equal(response.status, 200);
      assert.match(await response.text(), /<html/i);
    });

    it('is reached by ssh, scp and rsync with no question asked', async () => {
      const config = await nexus.nexus(['ssh', 'config']);
      assert.equal(config.exitCode, 0, config.stderr);
      const whoami = await nexus.run('ssh', [
        ...sshOptions(nexus),
        'nexus-shop',
        'whoami; pwd; echo "$NEXUS_WORKSPACE_NAME"',
      ]);
      assert.equal(whoami.exitCode, 0, whoami.stderr);
      assert.deepEqual(whoami.stdout.split('\n'), ['dev', '/home/dev', 'shop']);

      const file = join(nexus.home, 'from-me.txt');
      await writeFile(file, 'carried over\n');
      const scp = await nexus.run('scp', [...sshOptions(nexus), file, 'nexus-shop:workspace/']);
      assert.equal(scp.exitCode, 0, scp.stderr);
      const rsync = await nexus.run('rsync', [
        '-a',
        '-e',
        `ssh ${sshOptions(nexus).join(' ')}`,
        'nexus-shop:workspace/from-me.txt',
        join(nexus.home, 'back.txt'),
      ]);
      assert.equal(rsync.exitCode, 0, rsync.stderr);
      assert.equal(await readFile(join(nexus.home, 'back.txt'), 'utf8'), 'carried over\n');
    });

    it('forwards a local port with ssh -L, also to a service that listens on loopback only', async () => {
      const local = nexus.ports.services + 41;
      const ssh = spawn('ssh', [...sshOptions(nexus), '-N', '-L', `${local}:127.0.0.1:3000`, 'nexus-shop'], {
        env: nexus.env,
        stdio: 'ignore',
      });
      try {
        await until(async () => (await fetch(`http://127.0.0.1:${local}/`)).ok, 'the forwarded port to answer', 20_000);
      } finally {
        ssh.kill();
      }
    });

    it('takes further sessions over the first connection, which stays', async () => {
      const check = await nexus.run('ssh', [...sshOptions(nexus), '-O', 'check', 'nexus-shop']);
      assert.match(check.stderr, /Master running/);
    });

    it('is connected to as VS Code does: a script through a shell, a SOCKS port, a second connection', async () => {
      const socks = nexus.ports.services + 42;
      const script = 'mkdir -p ~/.vscode-server && echo "listeningOn==3000" && cat ~/workspace/README.md | wc -l';
      const own = ['-T', '-o', 'ControlPath=none'];
      const ssh = spawn('ssh', [...sshOptions(nexus), ...own, '-D', String(socks), 'nexus-shop', 'bash'], {
        env: nexus.env,
        stdio: ['pipe', 'pipe', 'inherit'],
      });
      try {
        ssh.stdin.write(`${script}\n`);
        const [answer] = (await once(ssh.stdout, 'data')) as [Buffer];
        assert.match(answer.toString(), /^listeningOn==3000/);
        const url = 'http://localhost:3000/';
        const page = () => nexus.run('curl', ['-s', '--socks5-hostname', `127.0.0.1:${socks}`, url]);
        assert.match((await page()).stdout, /<html/i);
        const second = await nexus.run('ssh', [...sshOptions(nexus), ...own, 'nexus-shop', 'ls -d ~/.vscode-server']);
        assert.equal(second.stdout, '/home/dev/.vscode-server', second.stderr);
      } finally {
        ssh.kill();
      }
    });

    it('opens in an editor, which is started with its address', async () => {
      const bin = join(nexus.home, 'bin');
      await mkdir(bin);
      const said = join(nexus.home, 'code.args');
      await writeFile(join(bin, 'code'), `#!/bin/sh\necho "$@" > '${said}'\n`, { mode: 0o755 });
      const path = `PATH=${bin}:${process.env['PATH'] ?? ''}`;
      const opened = await nexus.run('env', [path, ...program, 'workspace', 'connect', 'shop', '--json']);
      assert.equal(opened.exitCode, 0, opened.stderr);
      assert.equal(await readFile(said, 'utf8'), '--remote ssh-remote+nexus-shop /home/dev/workspace\n');
      await writeFile(join(bin, 'vim'), '#!/bin/sh\n', { mode: 0o755 });
      const connect = [...program, 'workspace', 'connect', 'shop', '--editor', 'vim'].join(' ');
      const inTerminal = await nexus.run('env', [path, 'script', '-qec', connect, '/dev/null'], {
        input: 'pwd; exit\n',
      });
      assert.match(inTerminal.stdout, /\/home\/dev\/workspace/);
    });

    it('takes the registered key and no other', async () => {
      const other = join(nexus.home, 'other-key');
      await nexus.run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', other]);
      const direct = [
        '-p',
        String(shop.ssh.port),
        '-o',
        'StrictHostKeyChecking=no',
        '-o',
        'UserKnownHostsFile=/dev/null',
        '-o',
        'BatchMode=yes',
        '-o',
        'IdentitiesOnly=yes',
      ];
      const mine = await nexus.run('ssh', [
        ...direct,
        '-i',
        join(nexus.home, '.ssh/id_ed25519'),
        'dev@127.0.0.1',
        'true',
      ]);
      assert.equal(mine.exitCode, 0, mine.stderr);
      const theirs = await nexus.run('ssh', [...direct, '-i', other, 'dev@127.0.0.1', 'true']);
      assert.equal(theirs.exitCode, 255);
      assert.match(theirs.stderr, /Permission denied \(publickey\)/);
    });

    it('is reached by nexus ssh and nexus workspace port through the HTTP port alone', async () => {
      const ssh = await nexus.nexus(['ssh', 'shop', '--', 'echo over-http; exit 7']);
      assert.equal(ssh.stdout.trim(), 'over-http', ssh.stderr);
      assert.equal(ssh.exitCode, 7);
    });

    it('runs commands inside, with stdin and the exit code of the command', async () => {
      const hello = await nexus.nexus([
        'workspace',
        'exec',
        'shop',
        '--',
        'sh',
        '-c',
        'echo out; echo err >&2; exit 3',
      ]);
      assert.deepEqual([hello.exitCode, hello.stdout, hello.stderr], [3, 'out', 'err']);
      const cat = await nexus.nexus(['workspace', 'exec', 'shop', '--stdin', '--', 'tr', 'a-z', 'A-Z'], {
        input: 'shout',
      });
      assert.equal(cat.stdout, 'SHOUT');
    });

    it('keeps logs of services and hooks', async () => {
      const logs = await nexus.nexus(['workspace', 'logs', 'shop', 'db', '--lines', '50']);
      assert.match(logs.stdout, /database system is ready to accept connections/);
      const hook = await nexus.nexus(['workspace', 'logs', 'shop', '--service', 'pre_start']);
      assert.equal(hook.exitCode, 0, hook.stderr);
      assert.notEqual(hook.stdout.trim(), '');
    });

    it('restarts a service that was killed', async () => {
      const pid = async (): Promise<string> =>
        (
          await nexus.nexus(['workspace', 'exec', 'shop', '--', 'systemctl', 'show', '-P', 'MainPID', 'nexus-web'])
        ).stdout.trim();
      const before = await pid();
      const kill = await nexus.nexus(['workspace', 'exec', 'shop', '--', 'sudo', 'kill', '-9', before]);
      assert.equal(kill.exitCode, 0, kill.stderr);
      await until(async () => ![before, '0', ''].includes(await pid()), 'another process');
      await until(
        async () => (await view('shop')).services['web']?.health === 'healthy',
        'the service to be healthy again',
      );
    });

    it('keeps files and ports over stop and start', async () => {
      const down = await nexus.nexus(['workspace', 'down', 'shop']);
      assert.equal(down.exitCode, 0, down.stderr);
      assert.equal((await view('shop')).status, 'stopped');
      assert.deepEqual(
        (await engineInstances(shop.workspace_id)).map((i) => i.status),
        ['Stopped'],
      );
      const twice = await nexus.nexus(['workspace', 'down', 'shop']);
      assert.equal(twice.exitCode, 6, 'a second stop is a conflict');

      const up = await nexus.nexus(['workspace', 'up', 'shop']);
      assert.equal(up.exitCode, 0, up.stderr);
      const again = await view('shop');
      assert.equal(again.ssh.port, shop.ssh.port);
      assert.equal(again.ssh.host_key, shop.ssh.host_key);
      assert.equal(again.services['web']?.mapped_port, shop.services['web']?.mapped_port);
      const file = await nexus.nexus(['workspace', 'exec', 'shop', '--', 'cat', '/home/dev/workspace/from-me.txt']);
      assert.equal(file.stdout, 'carried over');
      assert.ok((await fetch(again.services['web']?.url ?? '')).ok);
    });

    it('goes up from a folder to an open editor, and again to what is there', async () => {
      const folder = join(nexus.home, 'folder/site');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'index.html'), '<h1>up</h1>\n');
      const git = (...args: string[]) =>
        nexus.run('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args]);
      await git('init', '-q', '-b', 'main');
      await git('add', '.');
      await git('commit', '-q', '-m', 'first');
      const path = `PATH=${join(nexus.home, 'bin')}:${process.env['PATH'] ?? ''}`;
      const up = (...more: string[]) =>
        nexus.run('env', [path, ...program, 'up', folder, '--server', nexus.url, '--editor', 'code', ...more]);
      const first = await up();
      assert.equal(first.exitCode, 0, first.stderr);
      assert.match(first.stdout, /^Editor +VS Code opens it\nLink +vscode:.*\nBranch +main\n/m);
      assert.match(first.stderr, /✔ Send the repository/);
      const made = await view('site');
      const again = await up('--json');
      assert.equal(again.exitCode, 0, again.stderr);
      const result = JSON.parse(again.stdout) as WorkspaceView & { opened: boolean };
      assert.deepEqual([result.workspace_id, result.opened], [made.workspace_id, true]);
      assert.match(again.stderr, /^✔ Open VS Code over SSH {2}\d\.\d s$/);
      const page = await nexus.run('ssh', [...sshOptions(nexus), 'nexus-site', 'cat workspace/index.html']);
      assert.equal(page.stdout, '<h1>up</h1>');
      assert.equal((await nexus.nexus(['workspace', 'delete', 'site', '--yes'])).exitCode, 0);
    });

    it('leaves nothing after a delete', async () => {
      const deleted = await nexus.nexus(['workspace', 'delete', 'shop', '--yes']);
      assert.equal(deleted.exitCode, 0, deleted.stderr);
      assert.deepEqual(await engineInstances(shop.workspace_id), []);
      const list = await nexus.nexus(['workspace', 'list', '--json']);
      assert.deepEqual(JSON.parse(list.stdout), []);
      await until(() => isClosed(shop.ssh.port ?? 0), 'the SSH port to be closed');
      const status = await nexus.nexus(['server', 'status', '--json']);
      const { ports } = JSON.parse(status.stdout) as { ports: { ssh: { free: number; total: number } } };
      assert.equal(ports.ssh.free, ports.ssh.total);
    });

    it('clones a repository that goes in with its uncommitted changes', async () => {
      const folder = join(nexus.home, 'site');
      await mkdir(folder, { recursive: true });
      await writeFile(join(folder, 'index.html'), 'committed\n');
      const git = (...args: string[]): Promise<unknown> =>
        nexus.run('git', ['-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args], { cwd: folder });
      await git('init', '-q', '-b', 'trunk');
      await git('add', '.');
      await git('commit', '-qm', 'first');
      await writeFile(join(folder, 'index.html'), 'changed\n');
      await writeFile(join(folder, 'new.txt'), 'untracked\n');

      const created = await nexus.nexus(['workspace', 'create', folder, '--include-changes'], { timeoutMs: 120_000 });
      assert.equal(created.exitCode, 0, created.stderr);
      const status = await nexus.nexus(['workspace', 'exec', 'site', '--', 'git', 'status', '--short', '--branch']);
      assert.deepEqual(status.stdout.split('\n').toSorted(), ['## trunk', ' M index.html', '?? new.txt'].toSorted());
      const local = await nexus.run('git', ['status', '--short'], { cwd: folder });
      assert.match(local.stdout, /\?\? new\.txt/, 'the folder itself is as it was');
      await rm(folder, { recursive: true });
    });

    it('names the reason when a repository cannot be cloned', async () => {
      const failed = await nexus.nexus(
        ['workspace', 'create', 'https://127.0.0.1:1/nobody/nothing.git', '--name', 'gone'],
        { timeoutMs: 60_000 },
      );
      assert.equal(failed.exitCode, 1);
      assert.match(failed.stderr, /✖[^\n]*\n\s+Could not clone [^\n]*\n\s+→ /);
      assert.equal((await view('gone')).error?.error, 'clone_failed');
      const deleted = await nexus.nexus(['workspace', 'delete', 'gone', '--yes']);
      assert.equal(deleted.exitCode, 0, deleted.stderr);
    });
  });
}

function sshOptions(nexus: Installation): string[] {
  return ['-F', join(nexus.home, '.ssh/config'), '-o', 'BatchMode=yes'];
}

function isClosed(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once('error', () => resolve(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
  });
}
