/** What goes on until Ctrl-C does so over the end of the server, be it killed or stopped, and that of the agent. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { findSocket } from '../../src/agent/providers/lxc/find-socket.ts';
import { createInstallation, isAlive, until } from '../support/installation.ts';
import type { Installation } from '../support/installation.ts';
import { sourceProgram } from '../support/programs.ts';
import { startCommand } from '../support/running-command.ts';
import type { RunningCommand } from '../support/running-command.ts';
import { smallRepository } from '../support/small-repository.ts';

const skip = process.getuid?.() !== 0 ? 'needs root' : findSocket() === null && 'there is no LXD or Incus here';

const config = `services:
  ticker:
    command: 'i=0; while :; do i=$((i+1)); echo "tick $i"; sleep 0.1; done'
`;

describe('what goes on until Ctrl-C', { skip }, () => {
  let nexus: Installation;

  before(async () => {
    nexus = await createInstallation({ program: sourceProgram });
    await nexus.startServer();
    assert.equal((await nexus.nexus(['ssh', 'setup', '--yes'])).exitCode, 0);
    const folder = await smallRepository(nexus, { name: 'shop', files: { '.nexus/config.yaml': config } });
    const created = await nexus.nexus(['workspace', 'create', folder, '--name', 'shop']);
    assert.equal(created.exitCode, 0, created.stderr);
  });
  after(() => nexus[Symbol.asyncDispose]());

  const start = (...args: string[]): RunningCommand => startCommand(nexus, sourceProgram, ['workspace', ...args]);

  it('forwards a port again, and connections made meanwhile wait', async () => {
    await using forward = start('port', 'shop', '22:0');
    const port = Number((await forward.says('stdout', /127\.0\.0\.1:(\d+) is port 22/))[1]);
    const first = await dial(port);
    assert.match(await bannerOf(first), /^SSH-2\.0-/);
    const cut = once(first.resume(), 'close');
    await nexus.kill('server');
    await cut;
    await forward.says('stderr', /! The Nexus server at .* cannot be reached: .*\. New connections wait until/);
    const waiting = await dial(port);
    waiting.write('SSH-2.0-test\r\n');
    const banner = bannerOf(waiting);
    await nexus.startServer();
    assert.match(await banner, /^SSH-2\.0-/);
    await forward.says('stderr', /! The connection is back\.\n/);
    waiting.destroy();
    assert.equal(await forward.interrupt(), 0);
    assert.equal(forward.said('stderr').split('\n').length, 3, forward.said('stderr'));
  });

  it('follows logs without a line lost or doubled', async () => {
    await using logs = start('logs', 'shop', 'ticker', '--follow', '--lines', '3');
    await logs.says('stdout', /tick \d+\n/);
    const goesOn = async (): Promise<void> => {
      const { length } = logs.said('stdout');
      await logs.says('stdout', new RegExp(`^[^]{${length}}(?:[^\\n]*\\n){20}`));
    };
    for (const end of [() => nexus.kill('server'), () => stopServer(nexus)]) {
      await end();
      await logs.says('stderr', /! The connection was lost.*\n$/);
      await nexus.startServer();
      await logs.says('stderr', /! The connection is back\n$/);
      await goesOn();
    }
    await nexus.kill('agent');
    await goesOn();
    assert.equal(await logs.interrupt(), 0);
    const ticks = [...logs.said('stdout').matchAll(/^tick (\d+)$/gm)].map(([, tick]) => Number(tick));
    const first = ticks[0] ?? 0;
    assert.deepEqual(
      ticks,
      ticks.map((_, index) => first + index),
    );
  });

  it('watches the status on', async () => {
    await using watch = start('status', 'shop', '--watch');
    await watch.says('stdout', /^shop .*running/m);
    await nexus.kill('server');
    await watch.says('stdout', /! The Nexus server at .* cannot be reached: .*\. It is tried again\.\n/);
    await nexus.startServer();
    await watch.says('stdout', /It is tried again\.\n[^]*^shop .*running/m);
    assert.equal(await watch.interrupt(), 0);
  });

  it('ends the logs with the workspace', async () => {
    await using logs = start('logs', 'shop', 'ticker', '--follow');
    await logs.says('stdout', /tick \d+\n/);
    const down = nexus.nexus(['workspace', 'down', 'shop']);
    await logs.says('stderr', /! shop is not running \(it is stopped\)\.\n$/);
    assert.equal((await down).exitCode, 0);
  });
});

async function dial(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

async function bannerOf(socket: Socket): Promise<string> {
  const [chunk] = (await once(socket, 'data')) as [Buffer];
  return chunk.toString();
}

/** As an upgrade does. */
async function stopServer(nexus: Installation): Promise<void> {
  const pid = await nexus.pid('server');
  process.kill(pid, 'SIGTERM');
  await until(async () => !isAlive(pid), 'the server to end');
}
