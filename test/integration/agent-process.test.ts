import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import type { AgentCommand } from '../../src/contract/control-protocol.ts';
import { NexusError } from '../../src/contract/errors.ts';
import { newId } from '../../src/contract/ids.ts';
import { openStream } from '../../src/contract/stream-client.ts';
import { newStreamKey } from '../../src/contract/stream-mac.ts';
import { ParkingLot } from '../../src/gateway/parking-lot.ts';
import { createSplice } from '../../src/gateway/splice.ts';
import { openStreamPort } from '../../src/gateway/stream-port.ts';
import { loadIdentity } from '../../src/lib/identity.ts';
import { agentWorld, type AgentProcess, type AgentWorld } from '../support/agent-harness.ts';
import {
  configureCommand,
  createCommand,
  debian,
  labEnv,
  noEngine,
  service,
  shellIn,
  untilTrue,
  type LabCommand,
} from '../support/agent-lab.ts';
import { startControlServer } from '../support/control-server.ts';
import { clusterInstances, engineInstances } from '../support/engine.ts';
import { silentLog } from '../support/silent-log.ts';

describe('the agent as a process', { skip: noEngine }, () => {
  const id = newId('ws');
  let world: AgentWorld;
  let agent: AgentProcess;
  before(async () => {
    world = await agentWorld();
    agent = await world.start();
  });
  after(async () => {
    for (const name of await clusterInstances(world.clusterId)) {
      await execa('lxc', ['delete', '--force', '--project', 'nexus', name], { reject: false });
    }
    await world[Symbol.asyncDispose]();
  });

  const web = service('web', 'exec python3 -m http.server 8000', {
    port: 8000,
    health_check: { type: 'tcp', interval: 1, timeout: 1, retries: 1 },
  });
  const about = (command: LabCommand): AgentCommand => ({ ...command, workspace_id: id });

  /** Sends a command, kills the agent when it has worked on it for a while, starts another and sends it again. */
  async function killedIn(command: LabCommand, afterMs: number) {
    const commandId = newId('op');
    const answered = world.command(commandId, about(command));
    await Promise.race([answered, sleep(afterMs)]);
    await agent.kill('SIGKILL');
    agent = await world.start();
    return Promise.race([answered, world.command(commandId, about(command))]);
  }

  it('says how its engines are, and what there is', async () => {
    const { providers } = await world.control.next('heartbeat', (beat) => beat.providers !== undefined);
    assert.equal(providers?.[0]?.name, 'lxc');
    assert.equal(providers[0]?.ok, true);
    assert.ok((providers[0]?.disk_free_bytes ?? 0) > 0);
    const stateDir = join(world.folder, 'agent');
    const clusterId = () => readFile(join(stateDir, 'cluster-id'), 'utf8').catch(() => '');
    await untilTrue('the cluster is known', async () => (await clusterId()).trim() === world.clusterId);
    assert.deepEqual(JSON.parse(await readFile(join(stateDir, 'agent.json'), 'utf8')), { pid: agent.pid });
    await world.run(about({ do: 'ensure_base', ...debian }));
  });

  const creation: readonly { command: LabCommand; afterMs: number }[] = [
    { command: createCommand, afterMs: 100 },
    { command: { do: 'start_instance' }, afterMs: 60 },
    { command: { ...configureCommand, ssh_keys: ['ssh-ed25519 AAAA test'] }, afterMs: 80 },
  ];
  for (const { command, afterMs } of creation) {
    it(`finishes ${command.do} after a kill in the middle of it`, async () => {
      const answer = await killedIn(command, afterMs);
      assert.ok(answer.ok, JSON.stringify(answer));
      assert.equal((await engineInstances(id)).length, 1);
    });
  }

  it('finishes a clone', async () => {
    const made = await shellIn(
      id,
      `set -e; export HOME=/root; mkdir -p /srv; cd /srv; git init -q -b main r; cd r; head -c 30000000 /dev/urandom > big; git add .
       git -c user.name=x -c user.email=x@example.com commit -qm one; chown -R dev: /srv`,
    );
    assert.equal(made.exitCode, 0, made.stderr);
    const answer = await killedIn(
      { do: 'clone', url: 'file:///srv/r', ref: null, upload: false, upstream_url: null },
      150,
    );
    assert.ok(answer.ok && answer.seen.clone?.branch === 'main', JSON.stringify(answer));
    assert.equal((await shellIn(id, 'ls -A /home/dev/workspace; ls -d /home/dev/.nexus-clone')).stdout, '.git\nbig');
    const config = await killedIn({ do: 'read_config' }, 30);
    assert.ok(config.ok && config.seen.config?.source === 'detected', JSON.stringify(config));
  });

  it('joins a hook that ran on without it: it runs once', async () => {
    const answer = await killedIn(
      { do: 'run_hook', hook: 'create', command: 'echo run >> ~/runs; sleep 2; echo end >> ~/runs' },
      600,
    );
    assert.ok(answer.ok && answer.seen.hooks_done.includes('create'), JSON.stringify(answer));
    assert.equal((await shellIn(id, 'cat /home/dev/runs')).stdout, 'run\nend');
  });

  it('fails a hook with its last 20 lines and its exit code', async () => {
    const command = 'for i in $(seq 50); do echo "line $i"; done; echo "to stderr" >&2; exit 9';
    const answer = await world.command('op-fails', about({ do: 'run_hook', hook: 'up', command }));
    assert.ok(!answer.ok);
    assert.equal(answer.error.error, 'hook_failed');
    assert.equal(answer.error.details['exit_code'], 9);
    const output = answer.error.details['output'] as string[];
    assert.equal(output.length, 20);
    assert.equal(output.at(-1), 'to stderr');
    assert.equal(output.at(-2), 'line 50');
    const killed = await world.command('op-killed', about({ do: 'run_hook', hook: 'up', command: 'kill -9 $$' }));
    assert.ok(!killed.ok && killed.error.details['exit_code'] === 137, JSON.stringify(killed));
  });

  it('does a hook of the repository, and finds nothing to do for one that went away', async () => {
    await shellIn(
      id,
      'cd /home/dev/workspace; mkdir -p .nexus/hooks; printf "#!/bin/sh\\npwd > ~/ran\\n" > .nexus/hooks/up.sh; chmod +x .nexus/hooks/up.sh',
    );
    const seen = await world.run(about({ do: 'run_hook', hook: 'up', command: null }));
    assert.ok(seen.hooks_done.includes('up'));
    assert.equal((await shellIn(id, 'cat /home/dev/ran')).stdout, '/home/dev/workspace');
    assert.ok((await world.run(about({ do: 'run_hook', hook: 'down', command: null }))).hooks_done.includes('down'));
  });

  it('answers an id once: while it runs it is joined, afterwards the answer is kept, over a restart too', async () => {
    const untilTold = 'echo x >> ~/once; until test -e ~/go-on; do sleep 0.1; done';
    const command = about({ do: 'run_hook', hook: 'pre_start', command: untilTold });
    const first = world.command('op-once', command);
    await untilTrue('it runs', async () => (await shellIn(id, 'test -e /home/dev/once')).exitCode === 0);
    world.control.send({ type: 'command', id: 'op-once', command });
    await shellIn(id, 'touch /home/dev/go-on');
    const answer = await first;
    assert.ok(answer.ok);
    await shellIn(id, 'rm /run/nexus/hooks/pre_start');
    assert.deepEqual(await world.command('op-once', command), answer);
    await agent.kill('SIGKILL');
    agent = await world.start();
    assert.deepEqual(await world.command('op-once', command), answer);
    assert.equal((await shellIn(id, 'cat /home/dev/once')).stdout, 'x');

    world.control.send({ type: 'forget', ids: ['op-once', 'op-unknown'] });
    assert.ok((await world.command('op-once', command)).ok);
    assert.equal((await shellIn(id, 'cat /home/dev/once')).stdout, 'x\nx');
  });

  it('finishes start_service, and watches the service after its return', async () => {
    const answer = await killedIn({ do: 'start_service', service: web, env: labEnv }, 40);
    assert.ok(answer.ok, JSON.stringify(answer));
    await agent.kill('SIGKILL');
    agent = await world.start();
    const isHealthy = ({ services }: { services: { name: string; health: string }[] }) =>
      services.some(({ name, health }) => name === 'web' && health === 'healthy');
    await world.control.next('services', isHealthy);
    await untilTrue(
      'one monitor is left',
      async () => (await shellIn(id, 'ps -eo ppid=,args= | grep -c "^ *0 .*[n]exus-monitor"')).stdout === '1',
    );
    await shellIn(id, 'pkill -f nexus-monitor');
    await world.control.next('services', isHealthy);
  });

  it('serves streams where it is told to park', async () => {
    const keys = { 'node-1': newStreamKey(), server: newStreamKey() };
    const gateway = await openStreamPort({
      host: '127.0.0.1',
      port: 0,
      sharing: 'exclusive',
      certificate: null,
      keyOf: (name) => keys[name as keyof typeof keys],
      parkingLot: new ParkingLot({ waitMs: 5_000 }),
      splice: createSplice(),
      log: silentLog,
    });
    const target = { host: '127.0.0.1', port: gateway.port };
    world.control.send({ type: 'streams', streams: { ...target, key: keys['node-1'] } });
    const request = { kind: 'tcp', workspace_id: id, port: 22 } as const;
    const who = { as: 'server', node: 'node-1' };
    const stream = await openStream({ ...target, key: keys.server }, who, request, { timeoutMs: 10_000 });
    const [banner] = (await once(stream.resume(), 'data')) as [Buffer];
    assert.match(banner.toString(), /^SSH-/);
    stream.destroy();
    world.control.send({ type: 'streams', streams: null });
    await gateway.drain();
  });

  it('notices what happens behind its back', async () => {
    await execa('lxc', ['stop', '--force', '--project', 'nexus', id.replace('ws-', 'nexus-')]);
    await world.control.next('instances', ({ instances }) =>
      instances.some((one) => one.workspace_id === id && one.state === 'stopped'),
    );
    assert.equal((await world.run(about({ do: 'start_instance' }))).instance, 'running');
    await world.control.next('instances', ({ instances }) => instances.some((one) => one.state === 'running'));
  });

  it('says what became of a hook whose workspace was stopped', async () => {
    const hook = world.command(
      'op-cut',
      about({ do: 'run_hook', hook: 'post_start', command: 'touch /tmp/begun; exec sleep 1000' }),
    );
    await untilTrue('it runs', async () => (await shellIn(id, 'test -e /tmp/begun')).exitCode === 0);
    assert.equal((await world.run(about({ do: 'stop_instance', force: false }))).instance, 'stopped');
    const answer = await hook;
    assert.ok(!answer.ok && answer.error.error === 'workspace_not_running', JSON.stringify(answer));
  });

  it('ends by SIGTERM and leaves the workspace and its services alone', async () => {
    await world.run(about({ do: 'start_instance' }));
    await world.run(about({ do: 'start_service', service: web, env: labEnv }));
    assert.equal(await agent.kill('SIGTERM'), 0);
    assert.equal((await shellIn(id, 'systemctl is-active nexus-web')).stdout, 'active');
    agent = await world.start();
    const second = await world.start({ welcomed: false });
    await untilTrue('the second waits', async () => second.log.join('').includes('waiting for its end'));
    assert.equal(await second.kill('SIGTERM'), 0);
  });

  it('finishes stop_service', async () => {
    const answer = await killedIn({ do: 'stop_service', service: 'web', force: false }, 30);
    assert.ok(answer.ok && answer.seen.services.every(({ state }) => state === 'stopped'), JSON.stringify(answer));
  });

  it('finishes stop_instance and remove_instance, and forgets the workspace', async () => {
    await world.run(about({ do: 'start_instance' }));
    const stopped = await killedIn({ do: 'stop_instance', force: false }, 100);
    assert.ok(stopped.ok && stopped.seen.instance === 'stopped', JSON.stringify(stopped));
    const removed = await killedIn({ do: 'remove_instance' }, 50);
    assert.ok(removed.ok && removed.seen.instance === 'absent', JSON.stringify(removed));
    assert.deepEqual(await clusterInstances(world.clusterId), []);
    const journal = await readFile(join(world.folder, 'agent/journal'), 'utf8');
    const entries = journal.split('\n').filter((line) => line.includes('"answer"'));
    assert.ok(entries.length > 0);
  });

  it('works for another cluster when it has joined one', async () => {
    await world.control[Symbol.asyncDispose]();
    const identity = await loadIdentity(join(world.folder, 'server.pem'));
    const other = await startControlServer({ identity, port: world.control.port, clusterId: 'agent-test-other' });
    const { instances } = await other.next('instances');
    assert.deepEqual(instances, []);
    const clusterId = () => readFile(join(world.folder, 'agent/cluster-id'), 'utf8');
    await untilTrue('it is known', async () => (await clusterId()).trim() === 'agent-test-other');
    await other[Symbol.asyncDispose]();
  });

  it('ends when the server keeps it out', async () => {
    await agent.kill('SIGTERM');
    const refused = await startControlServer({
      identity: await loadIdentity(join(world.folder, 'server.pem')),
      port: world.control.port,
      refuse: () => new NexusError('unauthorized', { reason: 'it was removed' }),
    });
    agent = await world.start({ welcomed: false });
    assert.equal(await agent.exited, 1);
    await refused[Symbol.asyncDispose]();
  });
});
