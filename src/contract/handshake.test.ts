import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { fingerprint, loadIdentity } from '../lib/identity.ts';
import { challenge as challengeSchema, hello as helloSchema } from './control-protocol.ts';
import {
  checkChallenge,
  checkProof,
  joinTokenHash,
  joinTokenPin,
  newJoinToken,
  peerHello,
  peerProof,
  serverChallenge,
  type Challenge,
  type Hello,
} from './handshake.ts';

const folder = await mkdtemp(join(tmpdir(), 'nexus-handshake-'));
after(() => rm(folder, { recursive: true }));
const [server, peer, stranger] = await Promise.all(
  ['server', 'peer', 'stranger'].map((name) => loadIdentity(join(folder, name))),
);
assert.ok(server && peer && stranger);
const introduction = { role: 'agent', name: 'node-1', version: '1.0', machine: 'abc' } as const;
const base64Zeros = Buffer.alloc(32).toString('base64');

test('both sides know each other in the end', () => {
  const hello = peerHello(peer, introduction);
  assert.deepEqual(helloSchema.parse(hello), hello);
  const challenge = serverChallenge(server, hello);
  assert.deepEqual(challengeSchema.parse(challenge), challenge);
  checkChallenge(hello, challenge, { publicKey: server.publicKey });
  checkChallenge(hello, challenge, { fingerprint: fingerprint(server.publicKey) });
  assert.equal(checkProof(hello, challenge, peerProof(peer, { hello, challenge })), true);
});

test('a server that is not the one that was joined is found out', () => {
  const hello = peerHello(peer, introduction);
  const challenge = serverChallenge(stranger, hello);
  for (const expected of [
    { publicKey: server.publicKey },
    { publicKey: '' },
    { fingerprint: fingerprint(server.publicKey) },
    { fingerprint: '' },
  ]) {
    assert.throws(() => checkChallenge(hello, challenge, expected), {
      code: 'forbidden',
      message: /not that of the server/,
    });
  }
});

test('a signature for another exchange, or of another side, is worth nothing', () => {
  const hello = peerHello(peer, introduction);
  const challenge = serverChallenge(server, hello);
  const expected = { publicKey: server.publicKey };
  const changedHellos: Partial<Hello>[] = [
    { role: 'gateway' },
    { name: 'node-2' },
    { machine: 'other' },
    { version: '2.0' },
    { nonce: base64Zeros },
    { public_key: stranger.publicKey },
  ];
  for (const change of changedHellos) {
    const changed = { ...hello, ...change };
    assert.throws(
      () => checkChallenge(changed, challenge, expected),
      { message: /did not prove/ },
      JSON.stringify(change),
    );
    assert.equal(checkProof(changed, challenge, peerProof(peer, { hello, challenge })), false, JSON.stringify(change));
  }
  const replayed: Challenge = { ...challenge, nonce: base64Zeros };
  assert.throws(() => checkChallenge(hello, replayed, expected), { message: /did not prove/ });
  assert.equal(checkProof(hello, serverChallenge(server, hello), peerProof(peer, { hello, challenge })), false);
  assert.equal(checkProof(hello, challenge, peerProof(stranger, { hello, challenge })), false);
  assert.equal(checkProof(hello, challenge, { type: 'proof', signature: challenge.signature }), false);
  assert.throws(() => checkChallenge(hello, { ...challenge, nonce: 'AAAA' }, expected), { code: 'forbidden' });
});

test('a malformed hello is refused', () => {
  const hello = peerHello(peer, introduction);
  for (const change of [{ nonce: 'AA==' }, { public_key: 'AA==' }, { nonce: `${hello.nonce}=` }]) {
    assert.throws(() => serverChallenge(server, { ...hello, ...change }), { code: 'unauthorized' });
  }
});

test('a join token names its server, and is never the same', () => {
  const token = newJoinToken(server.publicKey);
  assert.match(token, /^nxj_[0-9a-f]{48}_[A-Za-z0-9_-]{43}$/);
  assert.equal(joinTokenPin(token), fingerprint(server.publicKey));
  assert.notEqual(newJoinToken(server.publicKey), token);
  assert.match(joinTokenHash(token), /^[0-9a-f]{64}$/);
  assert.notEqual(joinTokenHash(token), joinTokenHash(newJoinToken(server.publicKey)));
  for (const wrong of ['', 'nxj_', token.slice(1), `${token}x`]) {
    assert.throws(() => joinTokenPin(wrong), { code: 'invalid_request', message: /join_token/ }, wrong);
  }
});
