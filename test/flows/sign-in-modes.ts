/** The server in GitHub mode, on GitHub's own addresses through a proxy and a private authority, and in OIDC mode. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { execa } from 'execa';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { startFakeGithub } from '../support/fake-github/fake-github.ts';
import { createClient } from '../../src/contract/api-client.ts';
import { createInstallation, until } from '../support/installation.ts';
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
  // A file that is being written is renamed meanwhile: then it is among the others by its name.
  const texts = await Promise.all(
    files.map((one) =>
      readFile(join(one.parentPath, one.name), 'latin1').catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT' && one.name.endsWith('.tmp')) return '';
        throw error;
      }),
    ),
  );
  return texts.join('\n');
}

/** As a program of the person's own machine that opens the browser. @returns the token */
async function signInInBrowser({ url }: Installation, ca: string): Promise<string> {
  const code_verifier = randomBytes(32).toString('base64url');
  const code_challenge = createHash('sha256').update(code_verifier).digest('base64url');
  const query = new URLSearchParams({
    code_challenge,
    code_challenge_method: 'S256',
    redirect_uri: 'http://127.0.0.1:9/done',
  });
  const begun = await fetch(`${url}/auth/github/start?${query.toString()}`, { redirect: 'manual' });
  const approved = new Promise<string>((resolve, reject) => {
    get(begun.headers.get('location') ?? '', { ca }, (page) => {
      page.resume();
      resolve(page.headers.location ?? '');
    }).once('error', reject);
  });
  const cookie = begun.headers.get('set-cookie')?.split(';')[0] ?? '';
  const done = await fetch(await approved, { redirect: 'manual', headers: { cookie } });
  const code = new URL(done.headers.get('location') ?? '').searchParams.get('code') ?? '';
  const { access_token } = await createClient({ baseUrl: url, token: null }).call('exchangeSignInCode', {
    body: { code, code_verifier },
  });
  return access_token;
}

function lentToken({ dataDir }: Installation): { token_hash: string; expires_at: string } | undefined {
  using database = new DatabaseSync(join(dataDir, 'nexus.db'), { readOnly: true });
  const row = database.prepare('SELECT token_hash, expires_at FROM git_credentials').get();
  return row as { token_hash: string; expires_at: string } | undefined;
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

    it('in the browser, with a GitHub App whose tokens end: the one that git is lent is renewed', async () => {
      await using github = await startFakeGithub();
      github.addUser('alice');
      github.browser('alice');
      const { enterpriseUrl: web_url } = github;
      const app = { client_id: 'Iv1.app', client_secret: 'secret' };
      const config = {
        auth: { mode: 'github' },
        github: { ...app, web_url, api_url: `${web_url}/api/v3` },
        ...serverAlone,
      };
      await using nexus = await createInstallation({ program, config, env: github.env });
      await nexus.startServer();
      github.addOauthApp({
        clientId: app.client_id,
        clientSecret: app.client_secret,
        callbackUrl: `${nexus.url}/auth/github/callback`,
        tokensEndAfterSeconds: 60,
      });
      const token = await signInInBrowser(nexus, await readFile(github.caFile, 'utf8'));
      assert.equal((await ask(nexus, '/user', token)).status, 200);
      const before = lentToken(nexus);
      assert.match(before?.expires_at ?? '', /^\d{4}-/);

      await nexus.kill('server');
      await nexus.startServer();
      await until(
        () => Promise.resolve(lentToken(nexus)?.token_hash !== before?.token_hash),
        'the token to be renewed',
      );
      const all = await written(nexus);
      assert.ok(!all.includes('ghr_') && !all.includes('ghu_'));
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
