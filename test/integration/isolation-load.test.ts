/**
 * One workspace takes all that it can get, in each way: its limit holds, another's service and the API answer
 * meanwhile, and it can be stopped and deleted. How fast they answer is measured by `bench/isolation.ts`.
 */
import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { after, before, describe, it } from 'node:test';
import { noEngine, untilTrue } from '../support/agent-lab.ts';
import { engineInstances } from '../support/engine.ts';
import { hostControls } from '../support/isolation/control-group.ts';
import { hogs, startHog, stopHog } from '../support/isolation/hogs.ts';
import { api, until } from '../support/installation.ts';
import { createTwoWorkspaces, type Cell, type TwoWorkspaces } from '../support/isolation/two-workspaces.ts';

const limits = { requests_per_minute: 100_000, memory: '600MB', disk: '1GB', processes: 400 };

describe(
  'a workspace that takes all it can get',
  { skip: noEngine || (process.getuid?.() !== 0 && 'needs root') },
  () => {
    let world: TwoWorkspaces;
    let attacker: Cell;
    let victim: Cell;
    let victimService = '';
    before(async () => {
      world = await createTwoWorkspaces({ config: { limits } });
      ({ attacker, victim } = world);
      victimService = await serviceState();
    });
    after(() => world?.[Symbol.asyncDispose]());

    const serviceState = async (): Promise<string> =>
      (await victim.shell('systemctl show nexus-web -p MainPID -p NRestarts')).stdout;

    /** All that must go on: the other's service, its shell, its disk, the API. */
    async function othersGoOn(): Promise<void> {
      const answers = await Promise.all(Array.from({ length: 5 }, () => fetch(victim.url)));
      assert.deepEqual(
        answers.map(({ status }) => status),
        Array.from({ length: 5 }, () => 200),
      );
      const written = await victim.shell(
        'head -c 20000000 /dev/zero > /home/dev/file && sync /home/dev/file && rm /home/dev/file',
      );
      assert.equal(written.exitCode, 0, written.stderr);
      const { workspaces } = await api<{ workspaces: object[] }>(world.nexus, 'GET', '/workspaces');
      assert.equal(workspaces.length, 2);
      assert.equal(await serviceState(), victimService, 'its service is the same process');
    }

    it('memory: is ended inside, and nobody else is', async () => {
      const controls = await hostControls(attacker.instance);
      const before = await controls.memoryKills();
      const hog = await attacker.shell(hogs.memory);
      assert.notEqual(hog.exitCode, 0);
      assert.ok((await controls.memoryKills()) > before);
      await othersGoOn();
    });

    it('the processors: others get theirs, and what runs on the host comes first', async () => {
      assert.ok((await (await hostControls(attacker.instance)).processorWeight()) <= 0.1);
      await startHog(attacker, hogs.processors);
      await othersGoOn();
      await stopHog(attacker);
    });

    it('the disk: ends at its limit', async () => {
      const { stderr } = await attacker.shell(hogs.disk);
      assert.match(stderr, /Disk quota exceeded|No space left on device/);
      await othersGoOn();
      await attacker.shell('rm -rf /home/dev/hog; sync');
    });

    it('small files without end: others do not notice', async () => {
      await startHog(attacker, hogs.files);
      await untilTrue(
        'there are many',
        async () => (await attacker.shell('test -e /home/dev/hog/2/999')).exitCode === 0,
        60_000,
      );
      await othersGoOn();
      await stopHog(attacker);
    });

    it('connections to it, a thousand: another service of the gateway answers', async () => {
      const { port, hostname } = new URL(attacker.url);
      const sockets = await Promise.all(Array.from({ length: 1000 }, () => opened(Number(port), hostname)));
      await othersGoOn();
      for (const socket of sockets) socket.destroy();
    });

    it('processes: a fork bomb ends at its limit; it is stopped and deleted while it goes on', async () => {
      const controls = await hostControls(attacker.instance);
      await startHog(attacker, hogs.processes);
      await untilTrue('the limit is reached', async () => (await controls.processes()) >= limits.processes - 5, 60_000);
      await othersGoOn();
      assert.ok((await controls.processes()) <= limits.processes);
      await api(world.nexus, 'POST', `/workspaces/${attacker.id}/stop`, { force: true });
      await until(async () => (await attacker.view()).status === 'stopped', 'it to be stopped', 120_000);
      assert.deepEqual(
        (await engineInstances(attacker.id)).map(({ status }) => status),
        ['Stopped'],
      );
      await api(world.nexus, 'DELETE', `/workspaces/${attacker.id}?force=true`);
      await until(async () => (await engineInstances(attacker.id)).length === 0, 'it to be gone', 120_000);
      assert.equal((await fetch(victim.url)).status, 200);
    });

    it('leaves the server, the gateway and the agent what they were', async () => {
      for (const role of ['server', 'gateway', 'agent'] as const) {
        const pid = await world.nexus.pid(role);
        assert.match(await readFile(`/proc/${pid}/status`, 'utf8'), /^State:\t[SRD]/m);
      }
    });
  },
);

async function opened(port: number, host: string): Promise<Socket> {
  const socket = connect({ port, host });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}
