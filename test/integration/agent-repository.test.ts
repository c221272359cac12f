import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { NexusError } from '../../src/contract/errors.ts';
import { createLab, noEngine, type Lab } from '../support/agent-lab.ts';

describe('commands about the repository', { skip: noEngine }, () => {
  let lab: Lab;
  before(async () => {
    lab = await createLab();
  });
  after(() => lab[Symbol.asyncDispose]());

  const inRepository = (script: string) =>
    lab.shell(`install -d -o dev -g dev /home/dev/workspace; cd /home/dev/workspace; sudo -u dev sh -c '${script}'`);

  describe('read_config', () => {
    it('says that there is no repository', async () => {
      await assert.rejects(lab.run({ do: 'read_config' }), { code: 'clone_failed' });
    });

    it('reads what the repository says, and which hooks can be run', async () => {
      await inRepository(
        'mkdir -p .nexus/hooks node_modules/x; printf "services:\\n  web: { command: npm start, port: 3000 }\\n" > .nexus/config.yaml; touch .nexus/hooks/up.sh .nexus/hooks/down.sh node_modules/x/package.json; chmod +x .nexus/hooks/up.sh',
      );
      const { config } = await lab.run({ do: 'read_config' });
      assert.equal(config?.source, 'config');
      assert.deepEqual(config?.hook_files, ['up']);
      assert.deepEqual(
        config?.services.map(({ name, command, port }) => [name, command, port]),
        [['web', 'npm start', 3000]],
      );
      assert.deepEqual((await lab.run({ do: 'observe' })).config, config, 'it is known until the workspace stops');
    });

    it('says where it is broken', async () => {
      await inRepository('printf "services:\\n  web: { comand: npm start }\\n" > .nexus/config.yaml');
      await assert.rejects(lab.run({ do: 'read_config' }), (error: NexusError) => {
        assert.equal(error.code, 'config_invalid');
        assert.match(error.message, /config\.yaml:2:\d+/);
        return true;
      });
    });

    it('detects what is there when nothing is said, in folders of it too', async () => {
      await inRepository(
        `rm -r .nexus; mkdir -p apps/site; echo "{\\"workspaces\\": [\\"apps/*\\"]}" > package.json; echo "{\\"name\\": \\"site\\", \\"scripts\\": {\\"dev\\": \\"vite --port 5173\\"}}" > apps/site/package.json`,
      );
      const { config } = await lab.run({ do: 'read_config' });
      assert.equal(config?.source, 'detected');
      assert.equal(config?.services.length, 1);
    });
  });

  describe('run_hook', () => {
    it('runs as dev in the repository, with the environment, once in a boot', async () => {
      const command = 'echo "$PWD $(id -un) $HOME $NEXUS_WORKSPACE_NAME $NEXUS_HOOK 100%" >> ~/hook';
      const seen = await lab.run({ do: 'run_hook', hook: 'pre_start', command });
      assert.deepEqual(seen.hooks_done, ['pre_start']);
      await lab.run({ do: 'run_hook', hook: 'pre_start', command });
      assert.equal(
        (await lab.shell('cat /home/dev/hook')).stdout,
        '/home/dev/workspace dev /home/dev lab pre_start 100%',
      );
    });

    it('tells its output as it comes', async () => {
      await lab.run({
        do: 'run_hook',
        hook: 'post_start',
        command: 'for i in 1 2 3; do echo "line $i"; sleep 0.3; done',
      });
      assert.ok(lab.progress.includes('line 2'), lab.progress.join('\n'));
    });

    it('fails with the exit code and the last 20 lines, and is run again', async () => {
      const command = 'echo run >> ~/failing; for i in $(seq 30); do echo "line $i"; done; echo "bad" >&2; exit 9';
      for (const _ of [1, 2]) {
        await assert.rejects(
          lab.run({ do: 'run_hook', hook: 'create', command }),
          (error: NexusError<'hook_failed'>) => {
            assert.equal(error.code, 'hook_failed');
            assert.equal(error.details.exit_code, 9);
            assert.equal(error.details.output.length, 20);
            assert.equal(error.details.output.at(-1), 'bad');
            return true;
          },
        );
      }
      assert.equal((await lab.shell('cat /home/dev/failing')).stdout, 'run\nrun');
      await assert.rejects(
        lab.run({ do: 'run_hook', hook: 'create', command: 'kill -TERM $$' }),
        (error: NexusError<'hook_failed'>) => {
          assert.equal(error.details.exit_code, 143);
          return true;
        },
      );
    });

    it('leaves nothing running behind', async () => {
      await lab.run({ do: 'run_hook', hook: 'up', command: 'setsid sleep 4001 & disown; true' });
      assert.equal((await lab.shell('pgrep -c -f "^sleep 4001"')).stdout, '0');
    });

    it('runs a file, and has nothing to do when it is gone', async () => {
      await inRepository(
        'mkdir -p .nexus/hooks; printf "#!/bin/sh\\ntouch ~/file-ran\\n" > .nexus/hooks/stop.sh; chmod +x .nexus/hooks/stop.sh',
      );
      await lab.run({ do: 'run_hook', hook: 'stop', command: null });
      assert.equal((await lab.shell('ls /home/dev/file-ran')).exitCode, 0);
      assert.ok((await lab.run({ do: 'run_hook', hook: 'down', command: null })).hooks_done.includes('down'));
    });

    it('create is done for ever, the others for a boot', async () => {
      await lab.run({ do: 'run_hook', hook: 'create', command: 'true' });
      await lab.run({ do: 'stop_instance', force: true });
      assert.deepEqual((await lab.run({ do: 'start_instance' })).hooks_done, ['create']);
    });

    it('that is cut off by a stop says so', async () => {
      const hook = lab.run({ do: 'run_hook', hook: 'up', command: 'echo begun; exec sleep 4002' });
      const cutOff = assert.rejects(hook, { code: 'workspace_not_running' });
      while (!lab.progress.includes('begun')) await new Promise((resolve) => setImmediate(resolve));
      await lab.run({ do: 'stop_instance', force: false });
      await cutOff;
    });
  });
});
