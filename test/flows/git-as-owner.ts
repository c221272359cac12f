/** Git in a workspace works as its owner, with a token that is lent: through a real engine, from a fake GitHub. */
import assert from 'node:assert/strict';
import { readFile, readdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { execa } from 'execa';
import { engineInstances } from '../support/engine.ts';
import { shellIn } from '../support/agent-lab.ts';
import { revision } from '../support/fake-github/bare-repository.ts';
import { startFakeGithub, type FakeGithub } from '../support/fake-github/fake-github.ts';
import { createInstallation, until, type CommandResult, type Installation } from '../support/installation.ts';
import { createInternetHost, internetAddress } from '../support/internet-host.ts';
import type { WorkspaceView } from '../../src/contract/workspace.ts';

const host = `https://${internetAddress}`;
const scopes = ['repo', 'read:org', 'user:email', 'admin:public_key'];

export function gitAsOwner(program: readonly string[]): void {
  describe('git in a workspace', () => {
    const cleanup = new AsyncDisposableStack();
    let github: FakeGithub;
    let nexus: Installation;
    let token: string;
    let id = '';

    const asAlice = (args: readonly string[]): Promise<CommandResult> =>
      nexus.nexus(args, { env: { GITHUB_TOKEN: token } });
    const inside = (script: string): Promise<{ exitCode: number; stdout: string; stderr: string }> =>
      shellIn(id, `su - dev -c ${quoted(`cd ~/workspace 2>/dev/null; ${script}`)}`);

    before(async () => {
      github = cleanup.use(await startFakeGithub({ names: [`IP:${internetAddress}`] }));
      cleanup.use(await createInternetHost({ 443: Number(new URL(github.enterpriseUrl).port) }));
      github.addUser('alice', { name: 'Alice Doe' });
      token = github.addToken('alice', { scopes });
      await github.addRepository('alice/lib', { private: true, files: { 'lib.txt': 'secret library' } });
      await github.addRepository('alice/shop', { private: true, files: shopFiles });
      nexus = cleanup.use(
        await createInstallation({
          program,
          config: {
            auth: { mode: 'github' },
            github: { api_url: `${host}/api/v3`, web_url: host },
            log: { level: 'debug' },
          },
          env: { NODE_EXTRA_CA_CERTS: github.bundleFile, NEXUS_TOKEN: '' },
        }),
      );
      await nexus.startServer();
      const setup = await asAlice(['ssh', 'setup', '--yes']);
      assert.equal(setup.exitCode, 0, setup.stderr);
    });
    after(() => cleanup.disposeAsync());

    it('clones a private repository with a private submodule that has an SSH URL', async () => {
      const modules = `[submodule "lib"]\n\tpath = lib\n\turl = git@${internetAddress}:alice/lib.git\n`;
      const lib = await revision(github.repository('alice/lib').folder, 'main');
      await github.commit('alice/shop', {
        branch: 'main',
        files: { '.gitmodules': modules },
        submodules: { lib: lib ?? '' },
      });
      const first = await asAlice(['workspace', 'create', `${host}/alice/shop`]);
      assert.match(first.stderr, /its TLS certificate is not trusted/, 'the workspace does not know the authority yet');
      id = (await shown()).workspace_id;
      const authority = await readFile(github.caFile, 'utf8');
      const trusted = await shellIn(
        id,
        `cat > /usr/local/share/ca-certificates/test.crt <<'END'\n${authority}\nEND\nupdate-ca-certificates`,
      );
      assert.equal(trusted.exitCode, 0, trusted.stderr);
      const { exitCode, stderr } = await asAlice(['workspace', 'up', 'shop']);
      assert.equal(exitCode, 0, stderr);
      assert.equal((await inside('cat lib/lib.txt')).stdout.trim(), 'secret library');
      assert.ok(github.gitAccesses.some((access) => access.repository === 'alice/lib' && access.token === token));
    });

    it('fetches in a hook, and pushes', async () => {
      assert.match((await inside('cat ~/hook.txt')).stdout, /refs\/heads\/main/, 'the hook could ask the remote');
      const pushed = await inside(
        'git commit -q --allow-empty -m one && git push -q && git log -1 --format="%an <%ae>"',
      );
      assert.equal(pushed.exitCode, 0, pushed.stderr);
      assert.match(pushed.stdout, /^Alice Doe <(\d+\+alice@users\.noreply\.|alice@)/);
      const push = github.gitAccesses.findLast(({ service }) => service === 'git-receive-pack');
      assert.deepEqual([push?.login, push?.status], ['alice', 200]);
    });

    it('signs commits with the key of the person who is connected', async () => {
      const config = await asAlice(['ssh', 'config']);
      assert.equal(config.exitCode, 0, config.stderr);
      const signed = await nexus.run('ssh-agent', ['sh', '-c', signing]);
      assert.equal(signed.exitCode, 0, signed.stderr);
      const commit = await inside('git log -1 --format=%G?%GF');
      assert.match(commit.stdout, /^GSHA256:/);
    });

    it('goes on while the server is away, and after the agent was killed', async () => {
      await nexus.kill('server');
      const away = await inside('git fetch origin');
      assert.equal(away.exitCode, 0, away.stderr);
      await nexus.startServer();
      const agent = await nexus.pid('agent');
      await nexus.kill('agent');
      await until(async () => (await nexus.pid('agent')) !== agent, 'the agent to come back');
      await until(async () => (await inside('git fetch origin')).exitCode === 0, 'git to be answered');
    });

    it('never has the token in a file, an environment, a command line, a log or the database', async () => {
      // A pattern that does not find itself among the command lines.
      const pattern = token.replace(/^./, '[$&]');
      const places = '/home /etc /var /root /run /opt /srv /usr/local /tmp /proc/[0-9]*/environ /proc/[0-9]*/cmdline';
      const found = await shellIn(
        id,
        `grep -rlsa '${pattern}' ${places}; journalctl -q --no-pager | grep -c '${pattern}'`,
      );
      assert.equal(found.stdout.trim(), '0', found.stdout);
      const root = dirname(nexus.dataDir);
      const files = (await readdir(root, { recursive: true, withFileTypes: true })).filter((one) => one.isFile());
      assert.ok(files.some(({ name }) => name === 'credentials.key'));
      for (const { parentPath, name } of files) {
        const text = await readFile(join(parentPath, name), 'latin1');
        assert.ok(!text.includes(token), join(parentPath, name));
        assert.ok(!text.includes(Buffer.from(token).toString('base64').slice(0, 40)), join(parentPath, name));
      }
      const { stdout } = await execa('ps', ['-eo', 'args']);
      assert.ok(!stdout.includes(token));
    });

    it('gives the token to whoever asks inside, and only there', async () => {
      assert.equal((await inside('nexus-github-token')).stdout.trim(), token);
      const other = await asAlice(['workspace', 'create', `${host}/alice/lib`, '--no-wait']);
      assert.equal(other.exitCode, 0, other.stderr);
      const seen = await inside('ls /var/lib/nexus/agent');
      assert.equal(seen.stdout.trim(), 'git.sock', 'nothing of other workspaces');
      const changed = await shellIn(id, 'touch /var/lib/nexus/agent/x; rm /var/lib/nexus/agent/git.sock');
      assert.match(changed.stderr, /Read-only file system[^]*Read-only file system/);
    });

    it('says what to do when the token is refused, and works again with a new one', async () => {
      github.revoke(token);
      const refused = await inside('GIT_TERMINAL_PROMPT=0 git fetch origin');
      assert.notEqual(refused.exitCode, 0);
      assert.match(
        refused.stderr,
        /^nexus: GitHub does not accept the token of alice; sign in on your own machine: nexus auth/m,
      );
      await until(
        async () =>
          /nexus: there is no GitHub token for this workspace; sign in/.test(
            (await inside('GIT_TERMINAL_PROMPT=0 git fetch origin')).stderr,
          ),
        'the reason to be told',
      );
      token = github.addToken('alice', { scopes });
      assert.equal((await asAlice(['workspace', 'list'])).exitCode, 0);
      const again = await inside('git fetch origin');
      assert.equal(again.exitCode, 0, again.stderr);
    });

    it('leaves nothing behind', async () => {
      for (const name of ['shop', 'lib']) {
        const { exitCode, stderr } = await asAlice(['workspace', 'delete', name, '--yes']);
        assert.equal(exitCode, 0, stderr);
      }
      assert.deepEqual(await readdir(join(nexus.dataDir, 'agent/git')), []);
      assert.deepEqual(await engineInstances(id), []);
    });

    async function shown(): Promise<WorkspaceView> {
      const { stdout } = await asAlice(['workspace', 'show', 'shop', '--json']);
      return JSON.parse(stdout) as WorkspaceView;
    }
  });
}

const signing = `ssh-add -q "$HOME/.ssh/id_ed25519" &&
  ssh -F "$HOME/.ssh/config" -A nexus-shop 'cd ~/workspace && git commit -q -S --allow-empty -m signed'`;

const shopFiles = {
  'README.md': 'Shop',
  '.nexus/config.yaml':
    'version: "1.0"\nname: shop\nservices: {}\nlifecycle:\n  pre_start: git ls-remote origin > ~/hook.txt\n',
};

function quoted(script: string): string {
  return `'${script.replaceAll("'", String.raw`'\''`)}'`;
}
