/** kill -9 of the roles in the middle of a creation, and under an open SSH session. */
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { api, createInstallation, until, type Installation } from '../support/installation.ts';
import { clusterInstances, engineInstances } from '../support/engine.ts';
import type { WorkspaceView } from '../../src/contract/workspace.ts';

type Role = 'server' | 'agent' | 'gateway';

export function killed(program: readonly string[]): void {
  describe('kill -9', () => {
    let nexus: Installation;

    before(async () => {
      nexus = await createInstallation({ program });
      await nexus.startServer();
      assert.equal((await nexus.nexus(['ssh', 'setup', '--yes'])).exitCode, 0);
    });
    after(async () => {
      await nexus[Symbol.asyncDispose]();
    });

    async function create(name: string): Promise<string> {
      const body = { workspace_name: name, repo: { owner: 'test', name, source: 'upload' } };
      const { workspace_id } = await api<{ workspace_id: string }>(nexus, 'POST', '/workspaces', body);
      return workspace_id;
    }

    function get(id: string): Promise<WorkspaceView> {
      return api<WorkspaceView>(nexus, 'GET', `/workspaces/${id}`);
    }

    async function upload(id: string): Promise<void> {
      const folder = join(nexus.home, `repo-${id}`);
      const git = (...args: string[]) =>
        nexus.run('git', ['-C', folder, '-c', 'user.name=t', '-c', 'user.email=t@example.com', ...args]);
      await nexus.run('git', ['init', '-q', '-b', 'main', folder]);
      await git('commit', '-q', '--allow-empty', '-m', 'first');
      await git('bundle', 'create', 'source.bundle', 'HEAD', 'main');
      const response = await fetch(`${nexus.url}/api/v1/workspaces/${id}/source`, {
        method: 'PUT',
        headers: { authorization: `Bearer ${await nexus.token()}`, 'content-type': 'application/octet-stream' },
        body: await readFile(join(folder, 'source.bundle')),
      });
      assert.equal(response.status, 204, await response.text());
    }

    const moments: readonly { kill: readonly Role[]; when: string }[] = [
      { kill: ['server'], when: 'creating_container' },
      { kill: ['agent'], when: 'creating_container' },
      { kill: ['agent'], when: 'configuring_ssh' },
      { kill: ['gateway'], when: 'cloning' },
      { kill: ['server', 'agent', 'gateway'], when: 'configuring_ssh' },
    ];
    for (const { kill, when } of moments) {
      it(`of ${kill.join(', ')} while ${when}: the workspace becomes what was asked for`, async () => {
        const name = `k-${kill.join('-')}-${when.replace('_', '-')}`.slice(0, 40);
        const id = await create(name);
        await upload(id);
        await until(async () => {
          const { step, status } = await get(id);
          return step === when || status === 'running';
        }, `the step ${when}`);
        await nexus.kill(...kill);
        if (kill.includes('server')) await nexus.startServer();
        await until(async () => (await get(id)).status === 'running', 'the workspace to run');

        assert.deepEqual(
          (await engineInstances(id)).map((i) => i.status),
          ['Running'],
        );
        const log = await nexus.nexus(['workspace', 'exec', name, '--', 'git', 'log', '--format=%s']);
        assert.equal(log.stdout, 'first', log.stderr);
      });
    }

    it('gave no port out twice and left no instance over', async () => {
      const { workspaces } = await api<{ workspaces: { workspace_id: string; ssh_port: number }[] }>(
        nexus,
        'GET',
        '/workspaces',
      );
      assert.equal(new Set(workspaces.map((w) => w.ssh_port)).size, workspaces.length);
      const cluster = (await readFile(join(nexus.dataDir, 'agent/cluster-id'), 'utf8')).trim();
      assert.equal((await clusterInstances(cluster)).length, workspaces.length);
    });

    it('of server and agent leaves an open SSH session open', async () => {
      const { workspaces } = await api<{ workspaces: { name: string }[] }>(nexus, 'GET', '/workspaces');
      await nexus.nexus(['ssh', 'config']);
      const ssh = spawn(
        'ssh',
        [
          '-F',
          join(nexus.home, '.ssh/config'),
          '-o',
          'BatchMode=yes',
          '-o',
          'ControlPath=none',
          `nexus-${workspaces[0]?.name}`,
          'cat',
        ],
        {
          env: nexus.env,
          stdio: ['pipe', 'pipe', 'inherit'],
        },
      );
      const echo = async (text: string): Promise<string> => {
        ssh.stdin.write(`${text}\n`);
        const [chunk] = (await once(ssh.stdout, 'data')) as [Buffer];
        return chunk.toString().trim();
      };
      try {
        assert.equal(await echo('before'), 'before');
        await nexus.kill('server', 'agent');
        assert.equal(await echo('while they are dead'), 'while they are dead');
        await nexus.startServer();
        assert.equal(await echo('after'), 'after');
      } finally {
        ssh.kill();
      }
    });

    it('in the middle of a delete: it is finished', async () => {
      const isWell = async () => (await api<{ status: string }>(nexus, 'GET', '/health')).status === 'ok';
      await until(isWell, 'the agent of the test before to be back');
      const { workspaces } = await api<{ workspaces: { workspace_id: string }[] }>(nexus, 'GET', '/workspaces');
      const id = workspaces[0]?.workspace_id ?? '';
      const deletion = api(nexus, 'DELETE', `/workspaces/${id}?force=true`).catch(() => undefined);
      await until(async () => (await get(id)).status === 'deleting', 'the delete to begin').catch(() => undefined);
      await nexus.kill('server', 'agent');
      await deletion;
      await nexus.startServer();
      await until(async () => (await engineInstances(id)).length === 0, 'the instance to be gone');
      await until(
        async () =>
          await get(id).then(
            () => false,
            (error: unknown) => String(error).includes('404'),
          ),
        'the row to be gone',
      );
    });
  });
}
