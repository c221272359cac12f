/**
 * The handshake of the control connection, without its transport: hello, challenge, proof. Each side signs the
 * whole exchange (who asks for what, both nonces, both keys) under a label of its own, so that a signature is of no
 * use in another connection or for the other side. The server is known to a peer by the key that it pinned when it
 * joined; the first time by the fingerprint in the join token.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import type { z } from 'zod';
import { fingerprint, verify, type Identity } from '../lib/identity.ts';
import type { challenge, hello, proof } from './control-protocol.ts';
import { NexusError } from './errors.ts';

export type Hello = z.infer<typeof hello>;
export type Challenge = z.infer<typeof challenge>;
export type Proof = z.infer<typeof proof>;

/** Who a peer says it is. */
export type PeerIntroduction = Pick<Hello, 'role' | 'name' | 'version' | 'machine'>;

/** How a peer knows its server: by the key it pinned, or by the fingerprint in its join token. */
export type ExpectedServer = { readonly publicKey: string } | { readonly fingerprint: string };

const nonceBytes = 32;
const keyBytes = 32;
/** The fingerprint is URL-safe here: a join token is one word that a shell takes as it is. */
const joinTokenForm = /^nxj_[0-9a-f]{48}_([A-Za-z0-9_-]{43})$/;

export function peerHello(identity: Identity, peer: PeerIntroduction): Hello {
  const { role, name, version, machine } = peer;
  return {
    type: 'hello',
    role,
    name,
    version,
    machine,
    public_key: identity.publicKey,
    nonce: newNonce(),
  };
}

/** @throws unauthorized when the hello's key or nonce is malformed */
export function serverChallenge(identity: Identity, hello: Hello): Challenge {
  if (!isBase64Of(hello.public_key, keyBytes) || !isBase64Of(hello.nonce, nonceBytes)) {
    throw new NexusError('unauthorized', { reason: 'the hello is malformed' });
  }
  const unsigned = { public_key: identity.publicKey, nonce: newNonce() };
  const signature = identity.sign(transcript('server', hello, unsigned)).toString('base64');
  return { type: 'challenge', ...unsigned, signature };
}

/**
 * The peer's check of its server.
 * @throws forbidden when it is another server, or one that does not have the key it shows
 */
export function checkChallenge(hello: Hello, challenge: Challenge, expected: ExpectedServer): void {
  const isExpected =
    'publicKey' in expected
      ? sameText(challenge.public_key, expected.publicKey)
      : sameText(fingerprint(challenge.public_key), expected.fingerprint);
  if (!isExpected || !isBase64Of(challenge.nonce, nonceBytes)) {
    const reason = `the server's key is ${fingerprint(challenge.public_key)}, not that of the server that was joined`;
    throw new NexusError('forbidden', { reason });
  }
  if (!verify(challenge.public_key, transcript('server', hello, challenge), challenge.signature)) {
    throw new NexusError('forbidden', { reason: 'the server did not prove its key' });
  }
}

/** After `checkChallenge`. @param joinToken for one that is not known yet */
export function peerProof(
  identity: Identity,
  { hello, challenge, joinToken }: { hello: Hello; challenge: Challenge; joinToken?: string | undefined },
): Proof {
  const signature = identity.sign(transcript('peer', hello, challenge)).toString('base64');
  return { type: 'proof', signature, ...(joinToken === undefined ? {} : { join_token: joinToken }) };
}

/** The server's check that the peer has the key of its hello. Whether that key may come in is the server's to know. */
export function checkProof(hello: Hello, challenge: Challenge, proof: Proof): boolean {
  return verify(hello.public_key, transcript('peer', hello, challenge), proof.signature);
}

/** `nxj_SECRET_FINGERPRINT`: lets one peer in once, and tells that peer which server to trust. */
export function newJoinToken(serverPublicKey: string): string {
  const pin = createHash('sha256').update(Buffer.from(serverPublicKey, 'base64')).digest('base64url');
  return `nxj_${randomBytes(24).toString('hex')}_${pin}`;
}

/** What a server keeps of a token: hex. The token is random, so a plain hash cannot be guessed back. */
export function joinTokenHash(token: string): string {
  return createHash('sha256').update(token).digest('hex');
}

/**
 * The fingerprint of the server that gave the token out, in the form of `fingerprint()`.
 * @throws invalid_request when it is not a join token
 */
export function joinTokenPin(token: string): string {
  const pin = joinTokenForm.exec(token)?.[1];
  if (pin === undefined) {
    throw new NexusError('invalid_request', {
      fields: [{ path: 'join_token', problem: 'is not a join token (nxj_…)' }],
    });
  }
  return `SHA256:${Buffer.from(pin, 'base64url').toString('base64').replace(/=+$/, '')}`;
}

function transcript(
  signer: 'server' | 'peer',
  hello: Hello,
  challenge: Pick<Challenge, 'public_key' | 'nonce'>,
): Buffer {
  const { role, name, version, machine } = hello;
  const exchange = [hello.nonce, challenge.nonce, hello.public_key, challenge.public_key];
  return Buffer.from(JSON.stringify([`nexus control 1 ${signer}`, role, name, version, machine, ...exchange]));
}

function newNonce(): string {
  return randomBytes(nonceBytes).toString('base64');
}

function isBase64Of(text: string, bytes: number): boolean {
  const decoded = Buffer.from(text, 'base64');
  return decoded.length === bytes && decoded.toString('base64') === text;
}

function sameText(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)];
  return left.length === right.length && timingSafeEqual(left, right);
}
