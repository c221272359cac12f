/** Signing in with GitHub in the browser, from the first page to a token that the API takes. */
import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { request } from 'node:https';
import { test } from 'node:test';
import { createClient } from '../../src/contract/api-client.ts';
import { createApiWorld } from '../support/api-world.ts';
import { createGithubWorld } from '../support/github-world.ts';
import type { GithubWorld } from '../support/github-world.ts';

const app = { clientId: 'Ov23liexample', clientSecret: 'secret-of-the-app' };
const env = { NEXUS_GITHUB_CLIENT_ID: app.clientId, NEXUS_GITHUB_CLIENT_SECRET: app.clientSecret };

type Visit = { status: number; location: string; html: string; cookie: string; headers: Headers };
type Proof = { readonly verifier: string; readonly challenge: string };
type Scene = GithubWorld & {
  /** A page of this server, in a browser that has a cookie or none. */
  visit(path: string, cookie?: string): Promise<Visit>;
  startPath(proof: Proof, more?: Record<string, string>): string;
  /** GitHub's page, with Alice at the browser: where it sends her. */
  approve(url: string): Promise<string>;
  redeem(code: string, proof: Proof): Promise<{ access_token: string; scope: string }>;
};

function createProof(): Proof {
  const verifier = randomBytes(32).toString('base64url');
  return { verifier, challenge: createHash('sha256').update(verifier).digest('base64url') };
}

async function createScene(): Promise<Scene> {
  const scene = await createGithubWorld({ env });
  const { github, world } = scene;
  github.addOauthApp({ ...app, callbackUrl: `${world.baseUrl}/auth/github/callback` });
  github.browser('alice');
  return Object.assign(scene, {
    async visit(path: string, cookie?: string): Promise<Visit> {
      const headers = cookie === undefined ? {} : { cookie: `other=1; ${cookie}` };
      const response = await fetch(new URL(path, world.baseUrl), { redirect: 'manual', headers });
      return {
        status: response.status,
        location: response.headers.get('location') ?? '',
        html: await response.text(),
        cookie: response.headers.get('set-cookie')?.split(';')[0] ?? '',
        headers: response.headers,
      };
    },
    startPath({ challenge }: Proof, more: Record<string, string> = {}): string {
      const query = { code_challenge: challenge, code_challenge_method: 'S256', ...more };
      return `/auth/github/start?${new URLSearchParams(query).toString()}`;
    },
    approve: (url: string) => redirectOf(url, readFileSync(github.caFile)),
    redeem: (code: string, { verifier }: Proof) =>
      createClient({ baseUrl: world.baseUrl, token: null }).call('exchangeSignInCode', {
        body: { code, code_verifier: verifier },
      }),
  });
}

function redirectOf(url: string, ca: Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    request(url, { ca }, (response) => {
      response.resume();
      resolve(response.headers.location ?? `status ${response.statusCode}`);
    })
      .once('error', reject)
      .end();
  });
}

test('a program on the own machine gets a code for its loopback address, and the token for that', async () => {
  await using scene = await createScene();
  const proof = createProof();
  const redirect_uri = 'http://127.0.0.1:40123/done';
  const begun = await scene.visit(scene.startPath(proof, { redirect_uri, state: 'mine & only' }));
  assert.equal(begun.status, 302);
  const page = new URL(begun.location);
  assert.equal(`${page.origin}${page.pathname}`, `${scene.github.enterpriseUrl}/login/oauth/authorize`);
  assert.equal(page.searchParams.get('client_id'), app.clientId);
  assert.equal(page.searchParams.get('scope'), 'repo read:org user:email admin:public_key');
  assert.notEqual(page.searchParams.get('code_challenge'), proof.challenge, 'each step has a proof of its own');
  assert.match(begun.headers.get('set-cookie') ?? '', /; Path=\/auth\/github; Max-Age=600; HttpOnly; SameSite=Lax$/);

  const returned = await scene.approve(begun.location);
  assert.ok(returned.startsWith(`${scene.world.baseUrl}/auth/github/callback?`));
  const done = await scene.visit(returned, begun.cookie);
  assert.equal(done.status, 303);
  const target = new URL(done.location);
  assert.equal(`${target.origin}${target.pathname}`, redirect_uri);
  assert.equal(target.searchParams.get('state'), 'mine & only');
  const code = target.searchParams.get('code') ?? '';

  const { access_token, scope } = await scene.redeem(code, proof);
  assert.equal(scope, 'repo,read:org,user:email,admin:public_key');
  assert.equal(done.location.includes(access_token), false);
  const me = await createClient({ baseUrl: scene.world.baseUrl, token: access_token }).call('whoAmI');
  assert.equal(me.github_username, 'alice');
  await assert.rejects(scene.redeem(code, proof), { code: 'invalid_request' }, 'a code is good once');
  const logged = JSON.stringify(scene.world.logged);
  for (const secret of [access_token, code, app.clientSecret]) assert.equal(logged.includes(secret), false);
});

test('without an address the code is shown', async () => {
  await using scene = await createScene();
  const proof = createProof();
  const begun = await scene.visit(scene.startPath(proof));
  const shown = await scene.visit(await scene.approve(begun.location), begun.cookie);
  assert.equal(shown.status, 200);
  assert.match(shown.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.equal(shown.headers.get('cache-control'), 'no-store');
  const code = /<code>([\w-]{43})<\/code>/.exec(shown.html)?.[1] ?? '';
  assert.match((await scene.redeem(code, proof)).access_token, /^gho_/);
});

test('a page of this server is a target too', async () => {
  await using scene = await createScene();
  const begun = await scene.visit(scene.startPath(createProof(), { redirect_uri: '/sign-in?from=x' }));
  const done = await scene.visit(await scene.approve(begun.location), begun.cookie);
  assert.match(done.location, /^\/sign-in\?from=x&code=[\w-]{43}$/);
});

test('a code is void for whoever has another verifier, and after a wrong try for everybody', async () => {
  await using scene = await createScene();
  const proof = createProof();
  const begun = await scene.visit(scene.startPath(proof, { redirect_uri: 'http://127.0.0.1:1/' }));
  const done = await scene.visit(await scene.approve(begun.location), begun.cookie);
  const code = new URL(done.location).searchParams.get('code') ?? '';
  await assert.rejects(scene.redeem(code, createProof()), { code: 'invalid_request' });
  await assert.rejects(scene.redeem(code, proof), { code: 'invalid_request' });
});

test('codes and sign-ins are too old after their time', async () => {
  await using scene = await createScene();
  const pass = (ms: number): void => {
    scene.world.clock.now = new Date(scene.world.clock.now.getTime() + ms);
  };
  const proof = createProof();
  const begun = await scene.visit(scene.startPath(proof, { redirect_uri: 'http://127.0.0.1:1/' }));
  const done = await scene.visit(await scene.approve(begun.location), begun.cookie);
  pass(60_000);
  const code = new URL(done.location).searchParams.get('code') ?? '';
  await assert.rejects(scene.redeem(code, proof), { code: 'invalid_request' });
  const slow = await scene.visit(scene.startPath(proof));
  pass(600_000);
  const late = await scene.visit(await scene.approve(slow.location), slow.cookie);
  assert.equal(late.status, 400);
  assert.match(late.html, /too old, or was begun in another browser/);
});

test('only the browser that began can end it, once', async () => {
  await using scene = await createScene();
  const begin = () => scene.visit(scene.startPath(createProof(), { redirect_uri: 'http://127.0.0.1:1/' }));
  const [one, other] = [await begin(), await begin()];
  assert.equal((await scene.visit(await scene.approve(one.location))).status, 400);
  assert.equal((await scene.visit(await scene.approve(other.location), one.cookie)).status, 400);
  const third = await begin();
  const returned = await scene.approve(third.location);
  assert.equal((await scene.visit(returned, third.cookie)).status, 303);
  assert.equal((await scene.visit(returned, third.cookie)).status, 400);
  assert.equal((await scene.visit('/auth/github/callback?code=x', third.cookie)).status, 400);
  const again = await scene.visit(scene.startPath(createProof()), third.cookie);
  assert.equal(again.cookie, third.cookie, 'two sign-ins at once in one browser go together');
});

test('who says no at GitHub comes back with that, and so does a failure of GitHub', async () => {
  await using scene = await createScene();
  scene.github.browser('alice', { deniesWeb: true });
  const redirect_uri = 'http://[::1]:1/';
  const denied = await scene.visit(scene.startPath(createProof(), { redirect_uri, state: 's' }));
  const back = await scene.visit(await scene.approve(denied.location), denied.cookie);
  assert.equal(back.location, 'http://[::1]:1/?error=access_denied&state=s');
  const shown = await scene.visit(scene.startPath(createProof()));
  assert.match((await scene.visit(await scene.approve(shown.location), shown.cookie)).html, /The user has denied/);

  scene.github.browser('alice');
  const begun = await scene.visit(scene.startPath(createProof(), { redirect_uri }));
  const returned = await scene.approve(begun.location);
  scene.github.goDown('bad_gateway');
  const failed = await scene.visit(returned, begun.cookie);
  assert.equal(failed.location, 'http://[::1]:1/?error=github_unreachable');
  scene.github.comeBack();
  const page = await scene.visit(scene.startPath(createProof()));
  const wrongCode = new URL(await scene.approve(page.location));
  wrongCode.searchParams.set('code', '<b>');
  const refused = await scene.visit(wrongCode.href, page.cookie);
  assert.equal(refused.status, 401);
  assert.match(refused.html, /The code passed is incorrect or expired/);
});

test('codes go nowhere but to the own machine or this server', async () => {
  await using scene = await createScene();
  const wrong = [
    'https://evil.example/',
    'http://evil.example/',
    'http://127.0.0.1.evil.example/',
    'http://a:b@127.0.0.1/',
    'http://127.0.0.1/#x',
    '//evil.example/',
    '/\\evil.example',
    '/a#b',
    'javascript:alert(1)',
    'relative',
  ];
  for (const redirect_uri of wrong) {
    const { status, html } = await scene.visit(scene.startPath(createProof(), { redirect_uri }));
    assert.deepEqual([status, (JSON.parse(html) as { error: string }).error], [400, 'invalid_request'], redirect_uri);
  }
  assert.equal((await scene.visit('/auth/github/start')).status, 400, 'nobody signs in without a challenge');
});

test('how to sign in is told before anybody is signed in', async () => {
  await using scene = await createScene();
  const { enterpriseUrl } = scene.github;
  assert.deepEqual(await createClient({ baseUrl: scene.world.baseUrl, token: null }).call('getSignIn'), {
    mode: 'github',
    github: { api_url: `${enterpriseUrl}/api/v3`, web_url: enterpriseUrl, client_id: app.clientId, web_flow: true },
    oidc: null,
  });
  await using local = await createApiWorld();
  const client = createClient({ baseUrl: local.baseUrl, token: null });
  assert.deepEqual(await client.call('getSignIn'), { mode: 'local', github: null, oidc: null });
  const body = { code: 'x', code_verifier: createProof().verifier };
  await assert.rejects(client.call('exchangeSignInCode', { body }), { code: 'not_found' });
  assert.equal((await fetch(`${local.baseUrl}/auth/github/start`)).status, 404);
});
