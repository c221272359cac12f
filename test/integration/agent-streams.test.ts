import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { after, before, describe, it } from 'node:test';
import { serveStream } from '../../src/agent/streams/serve-stream.ts';
import { encodeFrame, readFrames, writeFrames, writeWithin } from '../../src/contract/exec-frames.ts';
import { readMessage, writeLine } from '../../src/contract/json-line.ts';
import { requestStream } from '../../src/contract/stream-client.ts';
import {
  execFrame,
  streamAnswer,
  streamRequest,
  type ExecFrameType,
  type StreamRequest,
} from '../../src/contract/stream-protocol.ts';
import { createLab, labEnv, noEngine, service, untilTrue, type Lab } from '../support/agent-lab.ts';
import { socketPair } from '../support/socket-pair.ts';

type ExecRequest = Extract<StreamRequest, { kind: 'exec' }>;
type WithoutId<R> = R extends unknown ? Omit<R, 'workspace_id'> : never;

describe('streams', { skip: noEngine }, () => {
  let lab: Lab;
  before(async () => {
    lab = await createLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  /** @throws the agent's error */
  async function open(request: WithoutId<StreamRequest>): Promise<Socket> {
    const [opener, agent] = await socketPair();
    void readMessage(agent, streamRequest).then((received) => serveStream(agent, received, lab.context));
    return requestStream(opener, { ...request, workspace_id: lab.id }, AbortSignal.timeout(20_000));
  }

  describe('exec', () => {
    type Output = { stdout: string; stderr: string; exit: number | null };
    async function outputOf(stream: Socket): Promise<Output> {
      const output: Output = { stdout: '', stderr: '', exit: null };
      for await (const { type, payload } of readFrames(stream)) {
        if (type === execFrame.stdout) output.stdout += payload.toString();
        else if (type === execFrame.stderr) output.stderr += payload.toString();
        else if (type === execFrame.exit) {
          output.exit = Number(payload.toString());
          break;
        }
      }
      stream.destroy();
      return output;
    }
    async function exec(
      command: string[],
      more: Partial<ExecRequest> = {},
      input: readonly [ExecFrameType, string][] = [[execFrame.stdinEnd, '']],
    ) {
      const stream = await open({ kind: 'exec', command, ...more });
      for (const [type, text] of input) await writeFrames(stream, type, text);
      return outputOf(stream);
    }

    it('runs as dev at home while there is no repository, and in it when there is', async () => {
      assert.equal((await exec(['pwd'])).stdout, '/home/dev\n');
      await lab.shell('install -d -o dev -g dev /home/dev/workspace/sub');
      assert.deepEqual(await exec(['sh', '-c', 'pwd; id -un; echo $NEXUS_WORKSPACE_NAME $HOME; echo no >&2; exit 3']), {
        stdout: '/home/dev/workspace\ndev\nlab /home/dev\n',
        stderr: 'no\n',
        exit: 3,
      });
    });

    it('has its folder, variables, arguments as they are', async () => {
      const env = { NEXUS_WORKSPACE_NAME: 'mine', ODD: "a 'b' $c" };
      const script = 'pwd; printenv NEXUS_WORKSPACE_NAME ODD; printf "<%s>" "$@"';
      const { stdout } = await exec(['sh', '-c', script, 'x', 'a b', '', '*', "it's"], { cwd: 'sub', env });
      assert.equal(stdout, "/home/dev/workspace/sub\nmine\na 'b' $c\n<a b><><*><it's>");
    });

    it('says that there is no such folder or command', async () => {
      const lost = await exec(['true'], { cwd: 'nowhere' });
      assert.equal(lost.exit, 1);
      assert.match(lost.stderr, /nowhere: No such file or directory/);
      assert.equal((await exec(['no-such-command'])).exit, 127);
    });

    it('has a stdin that ends', async () => {
      const big = 'x'.repeat(300_000);
      const { stdout } = await exec(['wc', '-c'], {}, [
        [execFrame.stdin, big],
        [execFrame.stdin, 'y'],
        [execFrame.stdinEnd, ''],
      ]);
      assert.equal(stdout.trim(), '300001');
    });

    it('carries much, and holds back for a slow reader', async () => {
      const stream = await open({ kind: 'exec', command: ['head', '-c', '20000000', '/dev/zero'] });
      await writeWithin(stream, encodeFrame(execFrame.stdinEnd));
      let size = 0;
      for await (const { type, payload } of readFrames(stream)) {
        if (type === execFrame.stdout) size += payload.length;
        if (type === execFrame.exit) break;
      }
      stream.destroy();
      assert.equal(size, 20_000_000);
    });

    it('gives all of a terminal, to its last word, also when many end at once', async () => {
      const terminal = { columns: 80, rows: 24, type: 'xterm' };
      const ends = await Promise.all(
        Array.from({ length: 24 }, async () => {
          const command = ['bash', '-c', 'echo first; read -r line; echo "last word"; exit 3'];
          const stream = await open({ kind: 'exec', command, terminal });
          await writeFrames(stream, execFrame.stdin, 'go on\n');
          const output: string[] = [];
          for await (const { payload } of readFrames(stream)) output.push(payload.toString());
          stream.destroy();
          return output.join('');
        }),
      );
      for (const end of ends) assert.match(end, /first\r\n[^]*last word\r\n3$/);
    });

    it('has a terminal of the size that is asked for, and resizes it', async () => {
      const terminal = { columns: 91, rows: 31, type: 'xterm' };
      const stream = await open({
        kind: 'exec',
        command: ['bash', '-c', 'stty size; echo $TERM; read -r line; stty size; echo "$line"'],
        terminal,
      });
      const output: string[] = [];
      for await (const { type, payload } of readFrames(stream)) {
        if (type === execFrame.exit) break;
        const before = output.join('');
        output.push(payload.toString());
        if (!before.includes('xterm') && output.join('').includes('xterm')) {
          await writeFrames(stream, execFrame.resize, 'nonsense');
          await writeFrames(stream, execFrame.resize, JSON.stringify({ columns: 101, rows: 41 }));
          await untilTrue(
            'resized',
            async () => (await lab.shell('stty size -F "$(ls /dev/pts/[0-9]* | tail -1)"')).stdout === '41 101',
          );
          await writeFrames(stream, execFrame.stdin, 'hello\n');
        }
      }
      stream.destroy();
      assert.match(output.join(''), /31 91\r\nxterm\r\n[^]*41 101\r\nhello/);
    });

    it('passes signals on', async () => {
      const stream = await open({
        kind: 'exec',
        command: ['sh', '-c', 'trap "echo got it; exit 5" INT; echo ready; while :; do sleep 0.05; done'],
      });
      for await (const { type, payload } of readFrames(stream)) {
        if (type === execFrame.stdout && payload.toString().includes('ready')) {
          await writeFrames(stream, execFrame.signal, 'SIGNONSENSE');
          await writeFrames(stream, execFrame.signal, 'SIGINT');
        }
        if (type === execFrame.exit) {
          assert.equal(payload.toString(), '5');
          break;
        }
      }
      stream.destroy();
    });

    it('is killed with its children when the client goes', async () => {
      const stream = await open({ kind: 'exec', command: ['sh', '-c', 'sleep 2001 & sleep 2002; true'] });
      await writeFrames(stream, execFrame.stdinEnd);
      await untilTrue('they run', async () => (await lab.shell('pgrep -c -f "^sleep 200"')).stdout === '2');
      stream.destroy();
      await untilTrue('they are gone', async () => (await lab.shell('pgrep -c -f "^sleep 200"')).stdout === '0');
    });

    it('is killed when the client sends nonsense', async () => {
      const stream = await open({ kind: 'exec', command: ['sleep', '2003'] });
      stream.write(Buffer.from([99, 0, 0, 0, 0]));
      await Promise.race([once(stream.resume(), 'end'), once(stream, 'close')]);
      stream.destroy();
      await untilTrue('it is gone', async () => (await lab.shell('pgrep -c -f "^sleep 2003"')).stdout === '0');
    });
  });

  describe('logs', () => {
    before(async () => {
      await lab.shell('install -d -o dev -g dev /home/dev/workspace');
      const command =
        'printf "first\\n\\033[31mred\\033[0m\\n"; printf "caf\\351\\n"; while read -r line </tmp/lines; do echo "$line"; done; exec sleep 3000';
      await lab.shell('mkfifo -m 666 /tmp/lines');
      await lab.run({ do: 'start_service', service: service('talk', command), env: labEnv });
      await lab.run({
        do: 'start_service',
        service: service('other', 'echo from other; exec sleep 3001'),
        env: labEnv,
      });
      await lab.run({ do: 'run_hook', hook: 'up', command: 'echo from the hook' });
      await lab.shell('journalctl --sync');
    });
    const textOf = async (stream: Socket) => Buffer.concat(await stream.toArray()).toString('latin1');

    it('are the lines of a service, as it wrote them', async () => {
      const text = await textOf(await open({ kind: 'logs', source: 'talk', lines: 100, follow: false }));
      assert.equal(text, 'first\n\x1b[31mred\x1b[0m\ncaf\xe9\n');
      assert.equal(await textOf(await open({ kind: 'logs', source: 'talk', lines: 1, follow: false })), 'caf\xe9\n');
      assert.equal(await textOf(await open({ kind: 'logs', source: 'talk', lines: 0, follow: false })), '');
    });

    it('are those of a hook', async () => {
      assert.equal(
        await textOf(await open({ kind: 'logs', source: 'up', lines: 10, follow: false })),
        'from the hook\n',
      );
    });

    it('are those of all, each with its source before it', async () => {
      const lines = (await textOf(await open({ kind: 'logs', lines: 100, follow: false }))).split('\n');
      assert.ok(lines.includes('talk | first'), lines.join('\n'));
      assert.ok(lines.includes('other | from other'));
      assert.ok(lines.includes('up | from the hook'));
    });

    it('go on with every new line, and with deaths, until the reader goes', async () => {
      const stream = await open({ kind: 'logs', source: 'talk', lines: 1, follow: true });
      const lines = createInterface({ input: stream })[Symbol.asyncIterator]();
      await lines.next();
      await lab.shell('echo "a new line" >/tmp/lines');
      assert.equal((await lines.next()).value, 'a new line');
      await lab.shell('systemctl kill -s KILL nexus-talk');
      assert.match((await lines.next()).value ?? '', /Main process exited, code=killed, status=9\/KILL/);
      assert.equal((await lab.shell('pgrep -c journalctl')).stdout, '1');
      stream.destroy();
      await untilTrue(
        'the reader in the workspace is gone',
        async () => (await lab.shell('pgrep -c journalctl')).stdout === '0',
      );
    });
  });

  describe('put', () => {
    async function put(content: Buffer, size: number): Promise<unknown> {
      const stream = await open({ kind: 'put', size });
      stream.end(content);
      const answer = await readMessage(stream, streamAnswer);
      stream.destroy();
      return answer;
    }

    it('has the bundle on disk when the second answer comes', async () => {
      const content = Buffer.alloc(5_000_000, 'bundle');
      assert.deepEqual(await put(content, content.length), { ok: true });
      assert.equal((await lab.shell('stat -c "%s %a" /var/lib/nexus/source.bundle')).stdout, '5000000 644');
      assert.deepEqual(await put(Buffer.from('small'), 5), { ok: true });
      assert.equal((await lab.shell('cat /var/lib/nexus/source.bundle')).stdout, 'small');
      assert.deepEqual(await put(Buffer.alloc(0), 0), { ok: true });
    });

    it('leaves what was there when it is cut short', async () => {
      await put(Buffer.from('whole'), 5);
      const answer = (await put(Buffer.from('half'), 8)) as { error: { error: string } };
      assert.equal(answer.error.error, 'stream_failed');
      assert.equal((await lab.shell('cat /var/lib/nexus/source.bundle; ls /var/lib/nexus/*.part')).stdout, 'whole');
    });
  });

  it('put says that the disk is full, and stops when the sender has gone', async () => {
    await lab.shell('mount -t tmpfs -o size=1M tmpfs /var/lib/nexus');
    const full = await open({ kind: 'put', size: 5_000_000 });
    full.write(Buffer.alloc(5_000_000));
    const answer = await readMessage(full, streamAnswer);
    assert.ok('error' in answer && answer.error.error === 'disk_full', JSON.stringify(answer));
    full.destroy();
    await lab.shell('umount /var/lib/nexus');
    const gone = await open({ kind: 'put', size: 5_000_000 });
    gone.write('part');
    gone.resetAndDestroy();
    await untilTrue(
      'nothing is left',
      async () => (await lab.shell('pgrep -c -f [n]exus-put-source; ls /var/lib/nexus/*.part')).stdout === '0',
    );
  });

  describe('tcp', () => {
    before(async () => {
      const echo =
        'import socketserver\nclass H(socketserver.StreamRequestHandler):\n  def handle(self):\n    d=self.rfile.read(); self.wfile.write(d[::-1])\nsocketserver.ThreadingTCPServer(("127.0.0.1",8500),H).serve_forever()';
      await lab.shell(`systemd-run --quiet --unit echo python3 -c '${echo}'`);
      await untilTrue('it listens', async () => (await lab.shell('ss -ltn | grep -c :8500')).stdout === '1');
    });

    it('is a connection to a port, also one on the loopback of the workspace, half-closed each way', async () => {
      const stream = await open({ kind: 'tcp', port: 8500 });
      stream.end('hello');
      assert.equal(Buffer.concat(await stream.toArray()).toString(), 'olleh');
    });

    it('reaches sshd', async () => {
      const stream = await open({ kind: 'tcp', port: 22 });
      const [banner] = (await once(stream.resume(), 'data')) as [Buffer];
      assert.match(banner.toString(), /^SSH-2\.0-/);
      stream.destroy();
    });

    it('is refused when nothing listens', async () => {
      await assert.rejects(open({ kind: 'tcp', port: 9 }), { code: 'stream_failed' });
    });
  });

  it('end with their workspace', async () => {
    const exec = await open({ kind: 'exec', command: ['sleep', '2004'] });
    const logs = await open({ kind: 'logs', lines: 0, follow: true });
    await untilTrue('it runs', async () => (await lab.shell('pgrep -c -f "^sleep 2004"')).stdout === '1');
    await lab.run({ do: 'stop_instance', force: true });
    const types: number[] = [];
    for await (const { type } of readFrames(exec)) types.push(type);
    assert.ok(types.at(-1) === execFrame.exit || types.at(-1) === execFrame.error, String(types));
    await logs.toArray();
    exec.destroy();
    logs.destroy();
  });

  it('are refused by a workspace that does not run, or is not there', async () => {
    await lab.run({ do: 'stop_instance', force: true });
    await assert.rejects(open({ kind: 'tcp', port: 22 }), { code: 'workspace_not_running' });
    await lab.run({ do: 'remove_instance' });
    await assert.rejects(open({ kind: 'logs', lines: 1, follow: false }), { code: 'not_found' });
    const [opener, agent] = await socketPair();
    writeLine(opener, {});
    agent.destroy();
    await serveStream(agent, { kind: 'tcp', workspace_id: lab.id, port: 1 }, lab.context);
    opener.destroy();
  });
});
