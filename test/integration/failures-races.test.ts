/** Many wishes at once, wishes that cross each other, and people who go away, on the real engine. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { once } from 'node:events';
import { readdir, readFile, readlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { execa } from 'execa';
import type { WorkspaceView } from '../../src/contract/workspace.ts';
import { clusterInstances, engineInstances } from '../support/engine.ts';
import {
  beginWorkspace,
  bundleOf,
  lookAt,
  requestWorkspace,
  untilSettled,
  upload,
} from '../support/create-workspace.ts';
import { api, createInstallation, until, type Installation } from '../support/installation.ts';
import { sourceProgram } from '../support/programs.ts';
import { smallRepository } from '../support/small-repository.ts';

const config = `version: "1.0"
services:
  web: { command: "exec node server.js", port: 8000, health_check: { type: http, path: /, interval: 1 } }
`;
const server = "require('node:http').createServer((_, answer) => answer.end('here')).listen(8000);\n";

describe('at once', () => {
  let nexus: Installation;
  let bundle: Buffer;

  before(async () => {
    nexus = await createInstallation({ program: sourceProgram });
    await nexus.startServer();
    await until(async () => (await api<{ status: string }>(nexus, 'GET', '/health')).status === 'ok', 'the node');
    assert.equal((await nexus.nexus(['ssh', 'setup', '--yes'])).exitCode, 0);
    const files = { '.nexus/config.yaml': config, 'server.js': server };
    bundle = await bundleOf(nexus, await smallRepository(nexus, { name: 'shop', files }));
  });
  after(async () => {
    await nexus?.[Symbol.asyncDispose]();
  });

  async function all(): Promise<{ workspace_id: string; ssh_port: number; name: string }[]> {
    const { workspaces } = await api<{ workspaces: { workspace_id: string; ssh_port: number; name: string }[] }>(
      nexus,
      'GET',
      '/workspaces?limit=100',
    );
    return workspaces;
  }
  async function instances(): Promise<string[]> {
    // Before the node has joined there are none.
    const cluster = await readFile(join(nexus.dataDir, 'agent/cluster-id'), 'utf8').catch(() => 'none');
    return clusterInstances(cluster.trim());
  }
  async function remove(id: string): Promise<number> {
    const response = await fetch(`${nexus.url}/api/v1/workspaces/${id}?force=true`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${await nexus.token()}` },
    });
    return response.status;
  }

  it('of several creates of one name one wins, and the others are told which it is', async () => {
    const answers = await Promise.all(Array.from({ length: 5 }, () => requestWorkspace(nexus, 'twin')));
    const won = answers.filter(({ status }) => status === 202);
    assert.deepEqual(
      answers.map(({ status }) => status).toSorted((a, b) => a - b),
      [202, 409, 409, 409, 409],
    );
    const id = String(won[0]?.body['workspace_id']);
    for (const { body } of answers.filter(({ status }) => status === 409)) {
      assert.equal(body['error'], 'workspace_already_exists');
      assert.match(String(body['message']), new RegExp(id));
      assert.equal(body['hint'], 'nexus workspace status twin --watch');
    }
    const repeats = await Promise.all(
      Array.from({ length: 5 }, () => requestWorkspace(nexus, 'twin-2', { 'idempotency-key': 'the-same' })),
    );
    assert.deepEqual(new Set(repeats.map(({ status }) => status)), new Set([202]));
    assert.equal(new Set(repeats.map(({ body }) => body['workspace_id'])).size, 1);
    for (const { workspace_id } of await all()) assert.equal(await remove(workspace_id), 204);
    assert.deepEqual(await instances(), []);
  });

  it('ten creates all run, with an address and ports of their own, and ten deletes leave nothing', async () => {
    const names = Array.from({ length: 10 }, (_, number) => `many-${number}`);
    const ids = await Promise.all(names.map((name) => beginWorkspace(nexus, name, bundle)));
    const views = await Promise.all(ids.map((id) => untilSettled(nexus, id)));
    for (const view of views) assert.equal(view.status, 'running', JSON.stringify(view.error));
    for (const view of views) assert.equal(view.services['web']?.status, 'running');
    const ports = views.flatMap((view: WorkspaceView) => [view.ssh.port, view.services['web']?.mapped_port]);
    assert.equal(new Set(ports).size, 20);
    assert.equal(new Set(views.map(({ ssh }) => ssh.host_key)).size, 10);
    const routes = views.map((view) => fetch(view.services['web']?.url ?? '').then((answer) => answer.text()));
    assert.deepEqual(new Set(await Promise.all(routes)), new Set(['here']));
    assert.equal((await instances()).length, 10);

    assert.deepEqual(new Set(await Promise.all(ids.map(remove))), new Set([204]));
    assert.deepEqual(await instances(), []);
    const status = await api<{ ports: Record<string, { total: number; free: number }> }>(nexus, 'GET', '/status');
    for (const { total, free } of Object.values(status.ports)) assert.equal(free, total);
  });

  for (const step of [
    'pending',
    'creating_container',
    'starting_container',
    'configuring_ssh',
    'cloning',
    'starting_service:web',
  ]) {
    it(`a delete while ${step} makes an end of the create, and leaves nothing`, async () => {
      const { body } = await requestWorkspace(nexus, 'brief');
      const id = String(body['workspace_id']);
      const port = Number(body['ssh_port']);
      if (step !== 'pending') {
        await upload(nexus, id, bundle);
        await until(async () => {
          const view = await lookAt(nexus, id);
          return view.step === step || view.status === 'running';
        }, step);
      }
      assert.equal(await remove(id), 204);
      await assert.rejects(lookAt(nexus, id), /404/);
      assert.deepEqual(await engineInstances(id), []);
      for (const folder of ['uploads', 'agent/workspaces'])
        assert.deepEqual(await readdir(join(nexus.dataDir, folder)).catch(() => []), []);
      await until(async () => !(await listens(port)), 'the gateway to leave its port');
      const { status } = await requestWorkspace(nexus, 'brief');
      assert.equal(status, 202, 'the name is free again');
      for (const { workspace_id } of await all()) assert.equal(await remove(workspace_id), 204);
    });
  }

  it('whoever follows logs and goes away, by whatever end, leaves nothing running', async () => {
    const id = await beginWorkspace(nexus, 'logged', bundle);
    assert.equal((await untilSettled(nexus, id)).status, 'running');
    const followers = async (): Promise<number> => {
      const name = `nexus-${id.replace(/^ws-/, '')}`;
      const list = ['exec', '--project', 'nexus', name, '--', 'pgrep', '--count', 'journalctl'];
      return Number((await execa('lxc', list, { reject: false, stdin: 'ignore' })).stdout);
    };
    const sockets = async (role: 'server' | 'gateway' | 'agent'): Promise<number> => {
      const folder = `/proc/${await nexus.pid(role)}/fd`;
      const links = await Promise.all((await readdir(folder)).map((fd) => readlink(join(folder, fd)).catch(() => '')));
      return links.filter((link) => link.startsWith('socket:')).length;
    };
    const follow = async (): Promise<ChildProcess> => {
      const [program = '', ...prefix] = sourceProgram;
      const child = spawn(program, [...prefix, 'workspace', 'logs', 'logged', '--follow'], { env: nexus.env });
      await once(child.stdout, 'data');
      return child;
    };
    const roles = ['server', 'gateway', 'agent'] as const;
    const before = await Promise.all(roles.map(sockets));
    const children = await Promise.all([follow(), follow(), follow(), follow()]);
    assert.equal(await followers(), 4);
    for (const [number, child] of children.entries()) child.kill(number % 2 === 0 ? 'SIGKILL' : 'SIGINT');
    await until(async () => (await followers()) === 0, 'nothing to follow inside');
    await until(async () => {
      const now = await Promise.all(roles.map(sockets));
      return now.every((count, index) => count <= (before[index] ?? 0) + 2);
    }, 'the connections to be closed');

    for (const role of ['gateway', 'agent', 'server'] as const) {
      const child = await follow();
      assert.equal(await followers(), 1);
      await nexus.kill(role);
      child.kill('SIGKILL');
      if (role === 'server') await nexus.startServer();
      await until(async () => (await followers()) === 0, `nothing to follow inside after the end of the ${role}`);
      await until(
        async () => (await api<{ status: string }>(nexus, 'GET', '/health')).status === 'ok',
        'all to be back',
      );
    }
  });
});

function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
