/** A storage pool that is nearly full: a small one of the real engine, which a workspace fills. */
import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { join } from 'node:path';
import { execa } from 'execa';
import type { NodeView } from '../../src/contract/node.ts';
import { beginWorkspace, bundleOf, lookAt, requestWorkspace, untilSettled } from '../support/create-workspace.ts';
import { relayCommand } from '../support/agent-lab.ts';
import { api, createInstallation, until, type Installation } from '../support/installation.ts';
import { sourceProgram } from '../support/programs.ts';
import { smallRepository } from '../support/small-repository.ts';

/** Of which 2 GiB are kept for the workspaces that are there. */
const poolSize = '4GiB';
const config = `version: "1.0"
services:
  web: { command: "exec node server.js", port: 8000 }
`;
const server = "require('node:http').createServer((_, answer) => answer.end('here')).listen(8000);\n";

describe('a disk that is nearly full', () => {
  const pool = `nexus-test-${randomUUID().slice(0, 8)}`;
  let nexus: Installation;
  let agent: ChildProcess;
  let folder: string;
  let id: string;

  before(async () => {
    await execa('lxc', ['storage', 'create', pool, 'btrfs', `size=${poolSize}`]);
    nexus = await createInstallation({ program: sourceProgram, config: { node: { embedded: false } } });
    await nexus.startServer();
    assert.equal((await nexus.nexus(['ssh', 'setup', '--yes'])).exitCode, 0);
    const token = await api<{ join_token: string }>(nexus, 'POST', '/nodes', { name: 'small' });
    agent = startAgent(token.join_token);
    await until(async () => (await node())?.providers.some(({ ok }) => ok) ?? false, 'the node');
    const files = { '.nexus/config.yaml': config, 'server.js': server };
    folder = await smallRepository(nexus, { name: 'shop', files });
    id = await beginWorkspace(nexus, 'first', await bundleOf(nexus, folder));
    const { status, error } = await untilSettled(nexus, id);
    assert.equal(status, 'running', JSON.stringify(error));
  });
  after(async () => {
    await api(nexus, 'DELETE', `/workspaces/${id}?force=true`).catch(() => undefined);
    await nexus?.[Symbol.asyncDispose]();
    agent?.kill('SIGTERM');
    await execa('lxc', ['storage', 'delete', pool]);
  });

  function startAgent(joinToken: string): ChildProcess {
    const stateDir = join(nexus.dataDir, 'agent');
    const options = { serverUrl: nexus.url, name: 'small', stateDir, joinToken, version: 'test' };
    const json = JSON.stringify({ ...options, relayCommand: relayCommand() });
    const file = join(import.meta.dirname, '../support/pool-agent-process.ts');
    return spawn(process.execPath, [file, pool, json], { stdio: 'ignore' });
  }
  async function node(): Promise<NodeView | undefined> {
    return (await api<{ nodes: NodeView[] }>(nexus, 'GET', '/nodes')).nodes[0];
  }
  async function freeBytes(): Promise<number> {
    return (await node())?.providers[0]?.disk_free_bytes ?? 0;
  }
  function inside(...command: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
    return nexus.nexus(['workspace', 'exec', 'first', '--', ...command]);
  }

  it('refuses a new workspace while there is still room, says so everywhere, and leaves nothing of it', async () => {
    assert.ok((await freeBytes()) > 2 * 2 ** 30);
    const filled = await inside('fallocate', '--length', '1700M', '/home/dev/big');
    assert.equal(filled.exitCode, 0, filled.stderr);
    await until(async () => (await freeBytes()) < 2 * 2 ** 30, 'the node to tell');
    assert.ok((await freeBytes()) > 2 ** 29, 'there is still room');

    const refused = await nexus.nexus(['workspace', 'create', folder, '--name', 'second']);
    assert.equal(refused.exitCode, 1);
    assert.match(
      refused.stderr,
      /✖ Could not create workspace second\n {2}There is no room for another workspace on the lxc pool of small: 1\.\d GiB are free, which are kept for the workspaces that are there\.\n {2}→ nexus workspace list$/,
    );
    const { status, body } = await requestWorkspace(nexus, 'second');
    assert.deepEqual([status, body['error']], [503, 'disk_full']);
    const list = (await nexus.nexus(['workspace', 'list', '--json'])).stdout;
    assert.deepEqual(
      (JSON.parse(list) as { name: string }[]).map(({ name }) => name),
      ['first'],
    );
    assert.match((await nexus.nexus(['node', 'list'])).stdout, /1\.\d GiB free, takes no new workspaces/);
    const doctor = await nexus.nexus(['doctor']);
    assert.equal(doctor.exitCode, 1);
    assert.match(
      doctor.stdout,
      /✖ lxc of small +takes no new workspaces: only 1\.\d GiB free\n +→ nexus workspace list/,
    );
  });

  it('lets those that are there go on: they write, serve, stop and start', async () => {
    const written = await inside('sh', '-c', 'head -c 50M /dev/urandom > more && sync && stat -c %s more');
    assert.equal(written.stdout, String(50 * 2 ** 20), written.stderr);
    const url = (await lookAt(nexus, id)).services['web']?.url ?? '';
    assert.equal(await (await fetch(url)).text(), 'here');
    assert.equal((await nexus.nexus(['workspace', 'restart', 'first'])).exitCode, 0);
    assert.equal(await (await fetch(url)).text(), 'here');
    assert.equal((await lookAt(nexus, id)).status, 'running');
  });

  it('takes new ones as soon as there is room again', async () => {
    assert.equal((await inside('rm', '/home/dev/big', 'more')).exitCode, 0);
    await until(async () => (await freeBytes()) > 2 * 2 ** 30, 'the room to be there', 120_000);
    const { status, body } = await requestWorkspace(nexus, 'second');
    assert.equal(status, 202, JSON.stringify(body));
    assert.equal((await nexus.nexus(['workspace', 'delete', 'second', '--yes'])).exitCode, 0);
  });
});
