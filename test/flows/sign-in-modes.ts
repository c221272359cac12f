/** The server in GitHub mode, on GitHub's own addresses through a proxy and a private authority, and in OIDC mode. */
import assert from 'node:assert/strict';
import { execa } from 'execa';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { startFakeGithub } from '../support/fake-github/fake-github.ts';
import { createInstallation } from '../support/installation.ts';
import type { Installation } from '../support/installation.ts';
import { startOidcIssuer } from '../support/oidc-issuer.ts';

const serverAlone = { gateway: { embedded: false }, node: { embedded: false } };

type Answer = { status: number; warning: string | null; body: Record<string, unknown> };

async function ask({ url }: Installation, path: string, token: string, body?: object): Promise<Answer> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: {
      authorization: `Bearer ${token}`,
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, warning: response.headers.get('warning'), body: answer };
}

/** All that the server has written: its folder and its log. */
async function written({ dataDir }: Installation): Promise<string> {
  const files = (await readdir(dirname(dataDir), { recursive: true, withFileTypes: true })).filter((one) =>
    one.isFile(),
  );
  const texts = await Promise.all(files.map((one) => readFile(join(one.parentPath, one.name), 'latin1')));
  return texts.join('\n');
}

export function signInModes(program: readonly string[]): void {
  describe('the ways to sign in', () => {
    it('GitHub, also over an outage and a restart, and no token is written anywhere', async () => {
      await using github = await startFakeGithub();
      github.addUser('alice');
      github.addUser('bob');
      const [alice, bob, bad] = [github.addToken('alice'), github.addToken('bob'), `ghp_${'x'.repeat(36)}`];
      await github.addRepository('my-org/secret', { private: true, files: { a: '1' }, access: { bob: 'read' } });
      const config = { auth: { mode: 'github' }, log: { level: 'debug' }, ...serverAlone };
      await using nexus = await createInstallation({ program, config, env: github.env });
      await nexus.startServer();

      const me = await ask(nexus, '/user', alice);
      assert.deepEqual([me.status, me.warning, me.body['github_username']], [200, null, 'alice']);
      assert.ok(github.proxied.includes('api.github.com:443'), 'it went through the proxy');
      assert.equal((await ask(nexus, '/user', bad)).status, 401);
      const wish = { workspace_name: 'w', repo: { owner: 'my-org', name: 'secret' } };
      const refused = await ask(nexus, '/workspaces', alice, wish);
      assert.deepEqual([refused.status, refused.body['error']], [404, 'github_repo_not_found']);

      await nexus.kill('server');
      github.goDown('refuse');
      await nexus.startServer();
      const again = await ask(nexus, '/user', alice);
      assert.equal(again.status, 200, 'what GitHub said a minute ago counts');
      const stranger = await ask(nexus, '/user', bob);
      assert.deepEqual([stranger.status, stranger.body['error']], [503, 'github_unreachable']);
      github.comeBack();
      assert.equal((await ask(nexus, '/user', bob)).status, 200);

      const all = await written(nexus);
      assert.ok(all.includes('answered'), 'the log is among what is searched');
      for (const token of [alice, bob, bad]) assert.equal(all.includes(token), false);
    });

    it('an issuer of OpenID Connect', async () => {
      await using issuer = await startOidcIssuer({ audience: 'nexus' });
      const auth = { mode: 'oidc', oidc: { issuer: issuer.url, audience: 'nexus' } };
      await using nexus = await createInstallation({ program, config: { auth, admins: ['ada'], ...serverAlone } });
      await nexus.startServer();
      for (const alg of ['ES256', 'RS256', 'EdDSA'] as const) {
        await issuer.rotate(alg);
        const token = await issuer.token('1', { preferred_username: 'ada' });
        // The first key is looked for at once, and an unknown one again after half a minute: a new server each.
        const { status, body } = await ask(nexus, '/user', token);
        assert.deepEqual([alg, status, body['github_username'], body['admin']], [alg, 200, 'ada', true]);
        await nexus.kill('server');
        await nexus.startServer();
      }
      assert.equal((await ask(nexus, '/user', await issuer.token('1', { aud: 'other' }))).status, 401);
    });

    it('what is missing in the configuration is named at the start', async () => {
      await using nexus = await createInstallation({ program });
      const file = join(nexus.home, 'server.yaml');
      await writeFile(file, `data_dir: ${nexus.dataDir}\nauth: { mode: oidc }\ngithub: { client_secret: x }\n`);
      const oidc = await nexus.nexus(['server', 'start', '--config', file]);
      assert.equal(oidc.exitCode, 1);
      assert.match(oidc.stderr, /auth\.oidc: is required in oidc mode: issuer and audience/);
      const env = { ...nexus.env, NEXUS_AUTH_MODE: 'github', NEXUS_GITHUB_API_URL: 'http://git.example.com/api/v3' };
      const [command = '', ...prefix] = program;
      const args = [...prefix, 'server', 'start', '--config', file];
      const { exitCode, stderr } = await execa(command, args, { env, extendEnv: false, reject: false });
      assert.equal(exitCode, 1);
      assert.match(stderr, /github\.api_url: must begin with https:\/\//);
      assert.match(stderr, /github\.client_id: is required with github\.client_secret/);
    });
  });
}
