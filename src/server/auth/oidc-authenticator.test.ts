import assert from 'node:assert/strict';
import { createHmac } from 'node:crypto';
import { test } from 'node:test';
import { UnsecuredJWT } from 'jose';
import { makeKey, startOidcIssuer } from '../../../test/support/oidc-issuer.ts';
import type { OidcIssuer } from '../../../test/support/oidc-issuer.ts';
import type { Authenticator } from './authenticator.ts';
import { createOidcAuthenticator } from './oidc-authenticator.ts';

type Scene = AsyncDisposable & {
  readonly issuer: OidcIssuer;
  readonly authenticator: Authenticator;
  signIn(sub: string, claims?: Record<string, unknown>): ReturnType<Authenticator['authenticate']>;
};

async function createScene(options: { username_claim?: string; email_domain?: string } = {}): Promise<Scene> {
  const issuer = await startOidcIssuer({ audience: 'nexus' });
  const oidc = { issuer: issuer.url, audience: 'nexus', username_claim: 'preferred_username', ...options };
  const authenticator = createOidcAuthenticator({ oidc, admins: ['root'], now: () => new Date() });
  return {
    issuer,
    authenticator,
    signIn: async (sub, claims = { preferred_username: sub }) =>
      authenticator.authenticate(await issuer.token(sub, claims)),
    [Symbol.asyncDispose]: () => issuer[Symbol.asyncDispose](),
  };
}

test('a token is its subject, with the name of the claim', async () => {
  await using scene = await createScene();
  const ada = await scene.signIn('248289761001', { preferred_username: 'ada' });
  assert.deepEqual([ada.githubUsername, ada.admin], ['ada', false]);
  assert.ok(Number.isSafeInteger(ada.githubId) && ada.githubId > 0);
  const renamed = await scene.signIn('248289761001', { preferred_username: 'ada.l' });
  assert.equal(renamed.githubId, ada.githubId, 'the same person under another name');
  const other = await scene.signIn('248289761002', { preferred_username: 'ada' });
  assert.notEqual(other.githubId, ada.githubId, 'another person under the same name');
  assert.equal((await scene.signIn('1', { preferred_username: 'Root' })).admin, true);
  assert.deepEqual(scene.issuer.asked, ['/.well-known/openid-configuration', '/keys'], 'the issuer is asked once');
});

test('the names of one company', async () => {
  await using scene = await createScene({ username_claim: 'email', email_domain: 'example.com' });
  assert.equal((await scene.signIn('1', { email: 'ada.l@Example.com' })).githubUsername, 'ada.l');
  for (const claims of [
    { email: 'ada@elsewhere.com' },
    { email: 'ada@example.com', email_verified: false },
    { email: 'ada+x@example.com' },
    { email: 'a@b@example.com' },
    { email: '@example.com' },
    { email: ['ada@example.com'] },
    {},
  ])
    await assert.rejects(scene.signIn('1', claims), { code: 'unauthorized' }, JSON.stringify(claims));
});

const hour = 3600;
const now = Math.floor(Date.now() / 1000);
const refused: readonly [name: string, claims: Record<string, unknown>, reason: RegExp][] = [
  ['one that has expired', { exp: now - 60 }, /the token has expired/],
  ['one that is not valid yet', { nbf: now + hour }, /its nbf is not the one expected/],
  ['one without an end', { exp: undefined }, /its exp is not the one expected/],
  ['one of another issuer', { iss: 'https://evil.example' }, /its iss is not the one expected/],
  ['one for another audience', { aud: 'other' }, /its aud is not the one expected/],
  ['one of nobody', { sub: undefined }, /its sub is not the one expected/],
  ['one without a name', { preferred_username: undefined }, /has no claim preferred_username/],
  ['one with a name that is none', { preferred_username: '../x' }, /cannot be a user's name here/],
];
for (const [name, claims, reason] of refused)
  test(`a token is refused: ${name}`, async () => {
    await using scene = await createScene();
    const signIn = scene.signIn('1', { preferred_username: 'ada', ...claims });
    await assert.rejects(signIn, { code: 'unauthorized', message: reason });
  });

test('clocks may differ by half a minute', async () => {
  await using scene = await createScene();
  await scene.signIn('1', { preferred_username: 'ada', exp: Math.floor(Date.now() / 1000) - 20 });
});

test('a token is refused that the issuer did not sign', async () => {
  await using scene = await createScene();
  const { issuer, authenticator } = scene;
  const good = await issuer.token('1', { preferred_username: 'ada' });
  const [header = '', payload = '', signature = ''] = good.split('.');
  const forged = await makeKey('key-1', 'ES256');
  const stranger = await makeKey('key-9', 'ES256');
  const claims = { preferred_username: 'root' };
  // The published key as if it were a shared secret: the classical confusion of algorithms.
  const hmacHeader = Buffer.from(JSON.stringify({ alg: 'HS256', kid: 'key-1' })).toString('base64url');
  const hmac = createHmac('sha256', 'key').update(`${hmacHeader}.${payload}`).digest('base64url');
  const bad = {
    'another key under the same id': await issuer.token('1', claims, { key: forged }),
    'a key that is not published': await issuer.token('1', claims, { key: stranger }),
    'other claims': `${header}.${Buffer.from('{"sub":"2"}').toString('base64url')}.${signature}`,
    'no signature': new UnsecuredJWT({ ...claims, sub: '1' }).setIssuer(issuer.url).setAudience('nexus').encode(),
    'a shared secret': `${hmacHeader}.${payload}.${hmac}`,
    'no token at all': 'gho_0123456789abcdefghij',
    'a cut-off one': `${header}.${payload}`,
  };
  for (const [what, token] of Object.entries(bad))
    await assert.rejects(authenticator.authenticate(token), { code: 'unauthorized' }, what);
  assert.equal((await authenticator.authenticate(good)).githubUsername, 'ada');
});

test('keys rotate, of every usual kind', async (t) => {
  await using scene = await createScene();
  await scene.signIn('1');
  // An unknown key is looked for at once, but not more often than every half minute.
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() });
  for (const alg of ['RS256', 'EdDSA', 'ES256'] as const) {
    await scene.issuer.rotate(alg);
    t.mock.timers.tick(30_000);
    assert.equal((await scene.signIn('1')).githubUsername, '1');
  }
});

test('a withdrawn key counts for 10 minutes at most', async (t) => {
  await using scene = await createScene();
  const old = await scene.issuer.token('1', { preferred_username: 'ada', exp: Math.floor(Date.now() / 1000) + hour });
  await scene.authenticator.authenticate(old);
  await scene.issuer.rotate();
  scene.issuer.withdrawOldKeys();
  t.mock.timers.enable({ apis: ['Date'], now: Date.now() + 10 * 60_000 });
  await assert.rejects(scene.authenticator.authenticate(old), { code: 'unauthorized' });
});

test('the issuer is away: who came with a known key goes on, the rest is told', async () => {
  await using scene = await createScene();
  scene.issuer.down = true;
  await assert.rejects(scene.signIn('1'), { code: 'issuer_unreachable', message: /cannot be reached/ });
  scene.issuer.down = false;
  await scene.signIn('1');
  scene.issuer.down = true;
  assert.equal((await scene.signIn('2')).githubUsername, '2');
});

test('an issuer that is none is told', async () => {
  await using scene = await createScene();
  const { instead } = scene.issuer;
  instead.discovery = { hello: 'world' };
  await assert.rejects(scene.signIn('1'), { code: 'issuer_unreachable', message: /is no discovery document \(200\)/ });
  instead.discovery = { issuer: 'https://evil.example', jwks_uri: 'https://evil.example/keys' };
  await assert.rejects(scene.signIn('1'), {
    code: 'issuer_unreachable',
    message: /is of another issuer, https:\/\/evil/,
  });
  delete instead.discovery;
  instead.keys = { nothing: true };
  await assert.rejects(scene.signIn('1'), { code: 'issuer_unreachable', message: /its keys cannot be read/ });
});
