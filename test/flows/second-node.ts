/** An agent that was not started by the server: it joins with a token, takes workspaces, is missed and comes back. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { api, createInstallation, until, type Installation } from '../support/installation.ts';
import { engineInstances } from '../support/engine.ts';
import type { NodeView } from '../../src/contract/node.ts';
import type { WorkspaceView } from '../../src/contract/workspace.ts';

export function secondNode(program: readonly string[]): void {
  describe('a second node', () => {
    const [command = '', ...prefix] = program;
    let nexus: Installation;
    let agent: ChildProcess;
    let workspaceId: string;

    before(async () => {
      // Both agents are on the gateway's machine, and find it there although it takes streams of others too.
      const gateway = { host: '127.0.0.1', stream_host: '0.0.0.0' };
      nexus = await createInstallation({ program, config: { gateway } });
      await nexus.startServer();
      assert.equal((await nexus.nexus(['ssh', 'setup', '--yes'])).exitCode, 0);
    });
    after(async () => {
      // Its instances are of the same cluster: they go with the installation, through the agent that has them.
      await api(nexus, 'DELETE', `/workspaces/${workspaceId}?force=true`).catch(() => undefined);
      agent.kill('SIGTERM');
      await nexus[Symbol.asyncDispose]();
    });

    function startAgent(token?: string): ChildProcess {
      const args = [
        'agent',
        'start',
        '--server',
        nexus.url,
        '--name',
        'node-2',
        '--state-dir',
        join(nexus.dataDir, 'agent-2'),
      ];
      const env = token === undefined ? nexus.env : { ...nexus.env, NEXUS_JOIN_TOKEN: token };
      return spawn(command, [...prefix, ...args], { env, stdio: 'ignore' });
    }

    async function node(): Promise<NodeView | undefined> {
      const { nodes } = await api<{ nodes: NodeView[] }>(nexus, 'GET', '/nodes');
      return nodes.find(({ name }) => name === 'node-2');
    }

    it('joins with a one-time token', async () => {
      const { stdout, stderr } = await nexus.nexus(['node', 'token', 'node-2', '--json']);
      const { join_token: token } = JSON.parse(stdout || stderr) as { join_token: string };
      agent = startAgent(token);
      await until(async () => (await node())?.status === 'ready', 'the node to be ready');

      const thief = startAgent(token);
      thief.kill('SIGKILL');
      await once(thief, 'exit');
      assert.equal((await node())?.status, 'ready');
    });

    it('gets the workspaces when the first is drained, and they are reached through the gateway', async () => {
      assert.equal((await nexus.nexus(['node', 'drain', 'node-1'])).exitCode, 0);
      const created = await nexus.nexus([
        'workspace',
        'create',
        join(import.meta.dirname, '../../examples/static'),
        '--name',
        'over-there',
        '--json',
      ]);
      assert.equal(created.exitCode, 0, created.stderr);
      const view = JSON.parse(created.stdout) as WorkspaceView;
      workspaceId = view.workspace_id;
      assert.equal(view.node, 'node-2');
      assert.equal((await engineInstances(workspaceId)).length, 1);
      const hello = await nexus.nexus(['workspace', 'exec', 'over-there', '--', 'hostname']);
      assert.equal(hello.stdout, 'over-there', hello.stderr);
      const ssh = await nexus.nexus(['ssh', 'over-there', '--', 'hostname']);
      assert.equal(ssh.stdout, 'over-there', ssh.stderr);
    });

    it('is unreachable when its agent is dead, says so, and comes back by itself', async () => {
      agent.kill('SIGKILL');
      await once(agent, 'exit');
      await until(async () => (await node())?.status === 'unreachable', 'the node to be missed', 40_000);
      const { status } = await api<{ status: string }>(nexus, 'GET', '/health');
      assert.equal(status, 'degraded');
      const exec = await nexus.nexus(['workspace', 'exec', 'over-there', '--', 'true']);
      assert.notEqual(exec.exitCode, 0);
      assert.match(exec.stderr, /node-2 does not answer/);

      agent = startAgent();
      await until(async () => (await node())?.status === 'ready', 'the node to be back');
      const again = await nexus.nexus(['workspace', 'exec', 'over-there', '--', 'true']);
      assert.equal(again.exitCode, 0, again.stderr);
    });
  });
}
