/** What every provider must do, on its real engine. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { networkInterfaces } from 'node:os';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import { newId } from '../../src/contract/ids.ts';
import { sshAnswers } from '../../src/agent/providers/lxc/ssh-banner.ts';
import type { Instance } from '../../src/agent/providers/provider.ts';
import { candidates, ProviderLab, run, shell, smallLimits } from './real-providers.ts';

for (const candidate of candidates) {
  describe(`${candidate.name}: life of an instance`, { skip: candidate.absent }, () => {
    let lab: ProviderLab;
    before(() => {
      lab = new ProviderLab(candidate);
    });
    after(() => lab[Symbol.asyncDispose]());

    it('says what engine it is and how much room it has', async () => {
      const health = await lab.provider.probe();
      assert.match(health.version, /^\d+\./);
      assert.ok(health.diskFreeBytes > 0 && health.diskFreeBytes <= health.diskTotalBytes);
    });

    it('has the same base for the same image and packages, however they are written', async () => {
      const a = await lab.provider.ensureBase({ image: 'debian:12', packages: [] }, {});
      const b = await lab.provider.ensureBase({ image: 'images:debian/bookworm', packages: [] }, {});
      assert.equal(a.name, b.name);
    });

    it('is created stopped, started, stopped and removed, each of them more than once', async () => {
      const { provider } = lab;
      const { id } = await lab.create();
      assert.equal((await provider.inspect(id))?.state, 'stopped');
      const again = await lab.create({ id });
      assert.deepEqual(again, await provider.inspect(id));

      await provider.start(id);
      await provider.start(id);
      assert.equal((await provider.inspect(id))?.state, 'running');
      assert.deepEqual(
        (await provider.list()).map((instance) => instance.id),
        [id],
      );

      await provider.stop(id, { timeoutMs: 20_000, force: false });
      await provider.stop(id, { timeoutMs: 20_000, force: false });
      assert.equal((await provider.inspect(id))?.state, 'stopped');

      await provider.start(id);
      await provider.remove(id);
      await provider.remove(id);
      assert.equal(await provider.inspect(id), null);
      assert.deepEqual(await provider.list(), []);
    });

    it('is killed when it does not stop in time', async () => {
      const { provider } = lab;
      const { id } = await lab.createStarted();
      await shell(provider, id, 'systemctl mask --runtime --now systemd-journald; kill -STOP 1; true');
      await provider.stop(id, { timeoutMs: 1000, force: false });
      assert.equal((await provider.inspect(id))?.state, 'stopped');
      await provider.remove(id);
    });

    it('keeps its files and its address over a restart', async () => {
      const { provider } = lab;
      const { id, address } = await lab.createStarted();
      await shell(provider, id, 'echo kept > /home/dev/file', 'dev');
      await provider.stop(id, { timeoutMs: 20_000, force: true });
      await provider.start(id);
      assert.equal(await shell(provider, id, 'cat /home/dev/file'), 'kept');
      assert.equal((await provider.inspect(id))?.address, address);
      await provider.remove(id);
    });

    it('gives five that are created at once an address each', async () => {
      const made = await Promise.all(Array.from({ length: 5 }, () => lab.create()));
      assert.equal(new Set(made.map(({ address }) => address)).size, 5);
      await Promise.all(made.map(({ id }) => lab.provider.remove(id)));
    });

    it('shows a cluster only what is its own', async () => {
      await using other = new ProviderLab(candidate);
      const { id } = await lab.create();
      assert.deepEqual(await other.provider.list(), []);
      assert.equal(await other.provider.inspect(id), null);
      await assert.rejects(other.create({ id }), { code: 'container_start_failed' });
      await lab.provider.remove(id);
    });
  });

  describe(`${candidate.name}: inside an instance`, { skip: candidate.absent }, () => {
    let lab: ProviderLab;
    let instance: Instance & { address: string };
    before(async () => {
      lab = new ProviderLab(candidate);
      instance = await lab.createStarted();
      assert.ok(await sshAnswers(instance.address, { timeoutMs: 20_000 }), 'sshd answers');
    });
    after(() => lab[Symbol.asyncDispose]());

    it('has the limits that were asked for', async () => {
      const text = await shell(
        lab.provider,
        instance.id,
        'nproc; cat /sys/fs/cgroup/pids.max /sys/fs/cgroup/memory.max 2>/dev/null || cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/memory/memory.limit_in_bytes',
      );
      assert.deepEqual(text.split('\n'), [
        String(smallLimits.cpu),
        String(smallLimits.processes),
        String(smallLimits.memoryBytes),
      ]);
    });

    it('has the user, the host name and the tools of a workspace', async () => {
      const { provider } = lab;
      const tools = 'git git-lfs curl sudo sshd cc make python3 node npm jq rsync less vi tmux ps ip';
      assert.equal(
        await shell(provider, instance.id, `for tool in ${tools}; do command -v $tool >/dev/null || echo $tool; done`),
        '',
      );
      assert.equal(
        await shell(provider, instance.id, 'id -un; id -u; sudo -n id -un; pwd; hostname', 'dev'),
        'dev\n1000\nroot\n/home/dev\nconformance',
      );
      assert.equal(
        await shell(provider, instance.id, 'getent ahostsv4 localhost | cut -d" " -f1 | sort -u'),
        '127.0.0.1',
      );
      assert.equal(await shell(provider, instance.id, 'locale | head -n1'), 'LANG=C.UTF-8');
    });

    it("has nothing of the engine's API for guests", async () => {
      const found = await shell(lab.provider, instance.id, 'ls -d /dev/lxd /dev/incus 2>/dev/null; true');
      assert.equal(found, '');
    });

    it('is unprivileged, and has a host key of its own', async () => {
      assert.notEqual((await shell(lab.provider, instance.id, 'cat /proc/self/uid_map')).trim().split(/\s+/)[1], '0');
      const other = await lab.createStarted();
      assert.ok(await sshAnswers(other.address, { timeoutMs: 20_000 }));
      const keyOf = (id: string): Promise<string> =>
        shell(lab.provider, id, 'cat /etc/ssh/ssh_host_*_key.pub /etc/machine-id');
      const keys = [await keyOf(instance.id), await keyOf(other.id)];
      assert.match(keys[0] ?? '', /^ssh-ed25519 /);
      assert.notEqual(keys[0], keys[1]);
      await lab.provider.remove(other.id);
    });

    it('gives both outputs and the exit code of a command', async () => {
      const outcome = await run(lab.provider, instance.id, { command: ['sh', '-c', 'echo out; echo err >&2; exit 7'] });
      assert.deepEqual(outcome, { exitCode: 7, stdout: Buffer.from('out\n'), stderr: 'err\n' });
    });

    it('says 127 of a command that there is not, 126 of one that cannot be run, 128 + n of a signal', async () => {
      const codeOf = async (command: string[], user?: 'dev'): Promise<number> =>
        (await run(lab.provider, instance.id, { command, ...(user ? { user } : {}) })).exitCode;
      assert.equal(await codeOf(['no-such-command']), 127);
      assert.equal(await codeOf(['no-such-command'], 'dev'), 127);
      assert.equal(await codeOf(['/etc/hostname-is-no-program/x'], 'dev'), 127);
      assert.equal(await codeOf(['/etc/passwd']), 126);
      assert.equal(await codeOf(['sh', '-c', 'kill -TERM $$']), 143);
    });

    it('passes environment, folder and user', async () => {
      const outcome = await run(lab.provider, instance.id, {
        command: ['sh', '-c', 'echo "$GREETING $PWD $HOME $USER"'],
        user: 'dev',
        cwd: '/tmp',
        env: { GREETING: 'two words' },
      });
      assert.equal(outcome.stdout.toString(), 'two words /tmp /home/dev dev\n');
    });

    it('passes binary input to its end, and binary output', async () => {
      const bytes = Buffer.from(Array.from({ length: 1_000_000 }, (_, index) => (index * 7) % 256));
      const outcome = await run(lab.provider, instance.id, { command: ['cat'], input: bytes });
      assert.ok(outcome.stdout.equals(bytes));
    });

    it('passes 100 MB to a slow reader without holding them in memory', async () => {
      const size = 100_000_000;
      const handle = await lab.provider.exec(instance.id, { command: ['head', '-c', String(size), '/dev/zero'] });
      handle.stderr.resume();
      let read = 0;
      let largest = 0;
      const before = process.memoryUsage().rss;
      for await (const chunk of handle.stdout) {
        read += (chunk as Buffer).length;
        largest = Math.max(largest, process.memoryUsage().rss - before);
        await new Promise((resolve) => setImmediate(resolve));
      }
      assert.equal(read, size);
      assert.equal(await handle.exitCode, 0);
      assert.ok(largest < 80_000_000, `${largest} bytes`);
    });

    const untilResized = `until [[ $(stty size) != '40 100' ]]; do read -rt 0.05 <> <(:); done`;
    it('gives a terminal of the asked size, which can be resized', async () => {
      const handle = await lab.provider.exec(instance.id, {
        // The size comes another way than what is typed, and may come after it.
        command: ['bash', '-c', `tty; echo $TERM; stty size; read line; ${untilResized}; stty size; exit 3`],
        user: 'dev',
        terminal: { columns: 100, rows: 40, type: 'xterm-256color' },
      });
      let seen = '';
      handle.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
      while (!seen.includes('40 100')) await once(handle.stdout, 'data');
      handle.resize({ columns: 120, rows: 50 });
      handle.stdin.write('go\n');
      assert.equal(await handle.exitCode, 3);
      assert.match(seen, /\/dev\/pts\/\d+\r\nxterm-256color\r\n40 100\r\n/);
      assert.match(seen, /50 120\r\n/);
    });

    it('ends the input of a terminal', async () => {
      const handle = await lab.provider.exec(instance.id, {
        command: ['cat'],
        terminal: { columns: 80, rows: 24, type: 'xterm' },
      });
      handle.stdout.resume();
      handle.stdin.end('line\n');
      assert.equal(await handle.exitCode, 0);
    });

    it('kills a command with all its children', async () => {
      const handle = await lab.provider.exec(instance.id, {
        command: ['sh', '-c', 'echo up; setsid sleep 4242 & sudo -u dev sleep 4242 & sleep 4242'],
      });
      handle.stderr.resume();
      await once(handle.stdout, 'data');
      handle.stdout.resume();
      while ((await shell(lab.provider, instance.id, 'pgrep -fc "^sleep 4242"')) !== '3');
      handle.kill('SIGKILL');
      assert.equal(await handle.exitCode, 137);
      assert.equal(await shell(lab.provider, instance.id, 'pgrep -fc "^sleep 4242"'), '0');
    });

    it('lets a command end itself on a signal', async () => {
      const handle = await lab.provider.exec(instance.id, {
        command: ['bash', '-c', 'trap "exit 5" TERM; echo up; while :; do sleep 0.1; done'],
        user: 'dev',
      });
      handle.stderr.resume();
      await once(handle.stdout, 'data');
      handle.stdout.resume();
      handle.kill('SIGTERM');
      assert.equal(await handle.exitCode, 5);
    });

    it('puts and gets files', async () => {
      const { provider } = lab;
      const content = Buffer.from(Array.from({ length: 300_000 }, (_, index) => index % 251));
      await provider.putFile(instance.id, '/home/dev/file', content, { mode: 0o640, owner: 'dev' });
      assert.equal(await shell(provider, instance.id, 'stat -c "%a %U %G %s" /home/dev/file'), '640 dev dev 300000');
      const back = Buffer.concat((await (await provider.getFile(instance.id, '/home/dev/file')).toArray()) as Buffer[]);
      assert.ok(back.equals(content));
      await provider.putFile(instance.id, '/home/dev/file', Buffer.from('short'), { mode: 0o600, owner: 'root' });
      assert.equal(
        await shell(provider, instance.id, 'stat -c "%a %U" /home/dev/file; cat /home/dev/file'),
        '600 root\nshort',
      );
    });

    it('says what is wrong with a file', async () => {
      const { provider } = lab;
      await assert.rejects(provider.getFile(instance.id, '/no/such/file'), { code: 'not_found' });
      await assert.rejects(provider.getFile(instance.id, '/home/dev'), { code: 'stream_failed' });
      const nowhere = provider.putFile(instance.id, '/no/such/file', Buffer.from('x'), { mode: 0o600, owner: 'dev' });
      await assert.rejects(nowhere, { code: 'stream_failed' });
    });

    it('dials a port of the instance', async () => {
      const socket = await lab.provider.dial(instance.id, 22);
      const [banner] = (await once(socket, 'data')) as [Buffer];
      assert.match(banner.toString(), /^SSH-2\.0-/);
      socket.destroy();
    });

    it('dials a port that only the loopback has, and ends each direction by itself', async () => {
      const { provider } = lab;
      // Counts what it gets until the end of the input, and only then answers.
      const server = `import socket
listener = socket.create_server(('127.0.0.1', 7001))
print('up', flush=True)
connection, _ = listener.accept()
count = 0
while chunk := connection.recv(65536): count += len(chunk)
connection.sendall(str(count).encode())
connection.close()`;
      const handle = await provider.exec(instance.id, { command: ['python3', '-c', server], user: 'dev' });
      handle.stderr.resume();
      await once(handle.stdout, 'data');
      handle.stdout.resume();
      const stream = await provider.dial(instance.id, 7001);
      stream.end(Buffer.alloc(5_000_000));
      assert.equal(Buffer.concat((await stream.toArray()) as Buffer[]).toString(), '5000000');
      assert.equal(await handle.exitCode, 0);
    });

    it('says when nothing listens on a port', async () => {
      await assert.rejects(lab.provider.dial(instance.id, 7009), { code: 'stream_failed' });
    });

    it('keeps its log over a restart, bounded', async () => {
      const { provider } = lab;
      await shell(provider, instance.id, 'logger --tag conformance before; journalctl --sync');
      await provider.stop(instance.id, { timeoutMs: 20_000, force: false });
      await provider.start(instance.id);
      assert.ok(await sshAnswers(instance.address, { timeoutMs: 20_000 }));
      assert.match(
        await shell(provider, instance.id, 'journalctl --quiet --output=cat --identifier=conformance'),
        /before/,
      );
      assert.match(await shell(provider, instance.id, 'cat /etc/systemd/journald.conf.d/*'), /SystemMaxUse=64M/);
    });
  });

  describe(`${candidate.name}: isolation`, { skip: candidate.absent }, () => {
    let lab: ProviderLab;
    let own: Instance & { address: string };
    let other: Instance & { address: string };
    before(async () => {
      lab = new ProviderLab(candidate);
      own = await lab.createStarted();
      other = await lab.createStarted();
      assert.ok(await sshAnswers(other.address, { timeoutMs: 20_000 }));
    });
    after(() => lab[Symbol.asyncDispose]());

    const reaches = (address: string, port: number): Promise<string> =>
      shell(
        lab.provider,
        own.id,
        `timeout 2 bash -c 'echo > /dev/tcp/${address}/${port}' 2>/dev/null && echo yes || echo no`,
      );

    it('keeps workspaces from each other', async () => {
      assert.equal(await reaches('127.0.0.1', 22), 'yes');
      assert.equal(await reaches(other.address, 22), 'no');
    });

    it('keeps a workspace from the ports of its node, at every address that it has', async () => {
      const server = createServer((socket) => socket.destroy()).listen(0, '0.0.0.0');
      await once(server, 'listening');
      const { port } = server.address() as { port: number };
      const all = Object.values(networkInterfaces()).flatMap((found) => found ?? []);
      const addresses = all
        .filter(({ family, internal }) => family === 'IPv4' && !internal)
        .map(({ address }) => address);
      const asked = [...addresses, '169.254.0.1'];
      const answers = await Promise.all(asked.map((address) => reaches(address, port)));
      assert.deepEqual(
        answers,
        asked.map(() => 'no'),
      );
      server.close();
    });

    it('keeps a workspace from the cloud metadata', async () => {
      assert.equal(await reaches('169.254.169.254', 80), 'no');
    });

    it('lets nothing out that has another address than its own', async () => {
      const { provider } = lab;
      await shell(provider, own.id, `ip address add ${other.address.replace(/\.\d+$/, '.9')}/32 dev eth0`);
      const spoofed = other.address.replace(/\.\d+$/, '.9');
      const script = `timeout 3 python3 -c "
import socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('${spoofed}', 0)); s.settimeout(2)
s.sendto(bytes.fromhex('000101000001000000000000066465626961 6e036f72670000010001'.replace(' ', '')), ('10.83.0.2', 53))
try: s.recv(512); print('answered')
except OSError: print('silence')"`;
      assert.equal(await shell(provider, own.id, script), 'silence');
    });

    it('lets a workspace ask for names, as its node does', async () => {
      const script = 'getent ahostsv4 deb.debian.org >/dev/null && echo yes || echo no';
      const { stdout: host } = await execa('bash', ['-c', script]);
      assert.equal(await shell(lab.provider, own.id, script), host);
    });

    it('lets a workspace reach the internet, as its node does', async () => {
      const script =
        "curl --silent --max-time 10 --output /dev/null --write-out '%{http_code}' http://deb.debian.org/debian/dists/stable/Release";
      const { stdout: host } = await execa('bash', ['-c', script], { reject: false });
      assert.equal(await shell(lab.provider, own.id, script), host);
    });
  });

  describe(`${candidate.name}: bases of packages`, { skip: candidate.absent }, () => {
    let lab: ProviderLab;
    before(() => {
      lab = new ProviderLab(candidate);
    });
    after(() => lab[Symbol.asyncDispose]());

    it('says which package cannot be installed', async () => {
      const impossible = lab.provider.ensureBase({ image: 'debian:12', packages: ['no-such-package-1'] }, {});
      await assert.rejects(impossible, (error: { code: string; details: { output: string[] } }) => {
        assert.equal(error.code, 'package_install_failed');
        assert.match(error.details.output.join('\n'), /no-such-package-1/);
        return true;
      });
    });

    it('takes nothing for a package that is an option of a program', async () => {
      const injected = lab.provider.ensureBase({ image: 'debian:12', packages: ['--allow-unauthenticated'] }, {});
      await assert.rejects(injected, { code: 'package_install_failed' });
    });

    it('says that it does not know an image', async () => {
      const unknown = lab.provider.ensureBase({ image: 'plan9:4', packages: [] }, {});
      await assert.rejects(unknown, { code: 'image_not_found' });
    });
  });

  describe(`${candidate.name}: without its engine`, { skip: candidate.absent }, () => {
    it('says so at once, whatever is asked', async () => {
      const brokenSocket = '/nonexistent/unix.socket';
      assert.equal(existsSync(brokenSocket), false);
      await using provider = candidate.create('test-broken', { brokenSocket });
      const id = newId('ws');
      const base = { name: 'base-none', image: 'debian:12', packages: [] };
      const asked = [
        provider.probe(),
        provider.list(),
        provider.inspect(id),
        provider.ensureBase(base, {}),
        provider.create({ id, base, hostname: 'none', limits: smallLimits }),
        provider.start(id),
        provider.stop(id, { timeoutMs: 1000, force: false }),
        provider.remove(id),
        provider.exec(id, { command: ['true'] }),
        provider.putFile(id, '/x', Buffer.from('x'), { mode: 0o600, owner: 'dev' }),
        provider.getFile(id, '/x'),
        provider.dial(id, 22),
      ];
      const startedAt = performance.now();
      for (const outcome of await Promise.allSettled(asked)) {
        assert.equal(outcome.status, 'rejected');
        assert.equal((outcome.reason as { code: string }).code, 'provider_unavailable');
      }
      assert.ok(performance.now() - startedAt < 2000);
    });
  });
}
