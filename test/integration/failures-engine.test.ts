/** The engine goes away, or hangs, under workspaces that run and in the middle of all that is done with one. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { NodeView } from '../../src/contract/node.ts';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { clusterInstances, engineInstances } from '../support/engine.ts';
import { openEngineLine, type EngineLine } from '../support/engine-line.ts';
import { api, createInstallation, until, type Installation } from '../support/installation.ts';
import { sourceProgram } from '../support/programs.ts';
import { smallRepository } from '../support/small-repository.ts';

const ticking = `version: "1.0"
services:
  web: { command: "while :; do date +tick-%s.%N; sleep 0.2; done" }
`;

describe('an engine that goes away', () => {
  let line: EngineLine;
  let nexus: Installation;
  let folder: string;

  before(async () => {
    line = await openEngineLine();
    nexus = await createInstallation({ program: sourceProgram, env: { LXD_SOCKET: line.socketPath } });
    await nexus.startServer();
    assert.equal((await nexus.nexus(['ssh', 'setup', '--yes'])).exitCode, 0);
    folder = await smallRepository(nexus, { name: 'shop', files: { '.nexus/config.yaml': ticking } });
    const created = await nexus.nexus(['workspace', 'create', folder, '--name', 'steady']);
    assert.equal(created.exitCode, 0, created.stderr);
    assert.equal((await nexus.nexus(['ssh', 'config'])).exitCode, 0);
  });
  after(async () => {
    await line?.restore();
    await nexus?.[Symbol.asyncDispose]();
    await line?.[Symbol.asyncDispose]();
  });

  async function view(name: string): Promise<WorkspaceView> {
    const { workspaces } = await api<{ workspaces: { name: string; workspace_id: string }[] }>(
      nexus,
      'GET',
      '/workspaces',
    );
    const id = workspaces.find((one) => one.name === name)?.workspace_id;
    return api<WorkspaceView>(nexus, 'GET', `/workspaces/${id}`);
  }
  async function engineIs(well: boolean): Promise<void> {
    await until(
      async () => {
        const { nodes } = await api<{ nodes: NodeView[] }>(nexus, 'GET', '/nodes');
        return nodes.every(({ providers }) => providers.length > 0 && providers.every(({ ok }) => ok === well));
      },
      `the engine to be ${well ? 'there' : 'away'}`,
    );
  }
  async function cluster(): Promise<string> {
    return (await readFile(join(nexus.dataDir, 'agent/cluster-id'), 'utf8')).trim();
  }

  it('is told everywhere with what to do, while SSH and services go on and logs are gone on with', async () => {
    const agent = await nexus.pid('agent');
    const [program = '', ...prefix] = sourceProgram;
    const logs = spawn(program, [...prefix, 'workspace', 'logs', 'steady', 'web', '--follow', '--lines', '1'], {
      env: nexus.env,
    });
    try {
      let [lines, said] = ['', ''];
      logs.stdout.on('data', (chunk: Buffer) => (lines += chunk.toString()));
      logs.stderr.on('data', (chunk: Buffer) => (said += chunk.toString()));
      await until(async () => lines !== '', 'a line of the log');
      await line.cut();
      await engineIs(false);

      const exec = await nexus.nexus(['workspace', 'exec', 'steady', '--', 'true']);
      assert.equal(exec.exitCode, 1);
      assert.match(
        exec.stderr,
        /The lxc engine is not available: .*: no engine listens there\.\n {2}→ nexus node setup/,
      );
      const list = await nexus.nexus(['node', 'list']);
      assert.match(list.stdout, /lxc: not available: .*no engine listens there/);
      const doctor = await nexus.nexus(['doctor']);
      assert.equal(doctor.exitCode, 1);
      assert.match(doctor.stdout, /✖ lxc of node-1 +is not available: .*\n +→ sudo nexus node setup/);
      assert.equal((await api<{ status: string }>(nexus, 'GET', '/health')).status, 'degraded');
      assert.equal((await view('steady')).status, 'running');
      const ssh = ['-F', join(nexus.home, '.ssh/config'), '-o', 'BatchMode=yes', 'nexus-steady', 'echo', 'here'];
      assert.equal((await nexus.run('ssh', ssh)).stdout, 'here');

      await line.restore();
      await engineIs(true);
      const before = lines.length;
      await until(async () => lines.length > before, 'the log to go on');
      assert.match(said, /The connection was lost; the logs go on when it is back/);
      assert.equal((await nexus.nexus(['workspace', 'exec', 'steady', '--', 'true'])).exitCode, 0);
      assert.equal((await api<{ status: string }>(nexus, 'GET', '/health')).status, 'ok');
      assert.equal(await nexus.pid('agent'), agent, 'the agent lived through it');
    } finally {
      logs.kill('SIGINT');
      await line.restore();
    }
  });

  for (const [name, moment, ways] of [
    ['copying', /^POST \/1\.0\/instances\?/, ['dies']],
    ['starting', /^PUT \/1\.0\/instances\/nexus-[a-z0-9]+\/state/, ['hangs']],
    ['working inside', /^POST \/1\.0\/instances\/nexus-[a-z0-9]+\/exec/, ['dies', 'hangs']],
  ] as const) {
    for (const how of ways) {
      it(`which ${how} while ${name}: the creation goes on when it is back`, async () => {
        const workspace = `${how}-${name.replace(' ', '-')}`;
        const reached = line.request(moment);
        const creating = nexus.nexus(['workspace', 'create', folder, '--name', workspace]);
        await reached;
        if (how === 'dies') await line.cut();
        else line.silence();
        await engineIs(false);
        await line.restore();
        const created = await creating;
        assert.equal(created.exitCode, 0, created.stderr);
        const { workspace_id, status, services } = await view(workspace);
        assert.deepEqual([status, services['web']?.status], ['running', 'running']);
        assert.deepEqual(
          (await engineInstances(workspace_id)).map((instance) => instance.status),
          ['Running'],
        );
      });
    }
  }

  it('which is away for long ends a stop and a deletion with its error, and they go on when it is back', async () => {
    await line.cut();
    await engineIs(false);
    const [stopped, deleted] = await Promise.all([
      nexus.nexus(['workspace', 'down', 'steady']),
      nexus.nexus(['workspace', 'delete', 'dies-copying', '--yes']),
    ]);
    for (const { exitCode, stderr } of [stopped, deleted]) {
      assert.equal(exitCode, 1, stderr);
      assert.match(stderr, /^! The lxc engine is not available: /m);
      assert.match(
        stderr,
        /\n {2}The lxc engine is not available: .*no engine listens there\.\n {2}→ nexus node setup/,
      );
    }
    const { workspace_id } = await view('dies-copying');
    for (const name of ['steady', 'dies-copying']) assert.equal((await view(name)).status, 'error');
    await line.restore();
    await until(async () => (await view('steady')).status === 'stopped', 'the stop');
    await until(async () => (await engineInstances(workspace_id)).length === 0, 'the deletion');
    const { workspaces } = await api<{ workspaces: unknown[] }>(nexus, 'GET', '/workspaces');
    await until(
      async () => (await clusterInstances(await cluster())).length === workspaces.length,
      'nothing to be left over',
    );
  });
});
