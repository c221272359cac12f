/** A small issuer of OpenID Connect tokens on the loopback: discovery, published keys that rotate, and outages. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import type { CryptoKey, JWK } from 'jose';

type Key = { readonly kid: string; readonly alg: string; readonly privateKey: CryptoKey; readonly publicJwk: JWK };

export type OidcIssuer = AsyncDisposable & {
  readonly url: string;
  /** Paths that were asked for, in order. */
  readonly asked: string[];
  /** What is published instead of the discovery document and of the keys; undefined: what is right. */
  readonly instead: { discovery?: unknown; keys?: unknown };
  /** While true, every connection is cut. */
  down: boolean;
  /** A token of `sub` for an hour, signed with the newest key. `claims` win over everything. */
  token(sub: string, claims?: Record<string, unknown>, options?: { key?: Key }): Promise<string>;
  /** Signs with a new key from now on; the old ones are still published. */
  rotate(alg?: 'RS256' | 'ES256' | 'EdDSA'): Promise<Key>;
  /** The older keys are no longer published. */
  withdrawOldKeys(): void;
};

export async function startOidcIssuer({ audience }: { audience: string }): Promise<OidcIssuer> {
  const keys: Key[] = [];
  const state = { asked: [] as string[], instead: {} as OidcIssuer['instead'], down: false };
  const server = createServer((request, response) => {
    state.asked.push(request.url ?? '');
    if (state.down) {
      request.socket.destroy();
      return;
    }
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const documents: Readonly<Record<string, unknown>> = {
      '/.well-known/openid-configuration': state.instead.discovery ?? { issuer: url, jwks_uri: `${url}/keys` },
      '/keys': state.instead.keys ?? { keys: keys.map(({ publicJwk }) => publicJwk) },
    };
    const document = documents[request.url ?? ''];
    response.writeHead(document === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(document ?? {}));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const issuer: OidcIssuer = Object.assign(state, {
    url,
    async token(sub: string, claims: Record<string, unknown> = {}, { key = keys.at(-1) }: { key?: Key } = {}) {
      if (key === undefined) throw new Error('the issuer has no key');
      const now = Math.floor(Date.now() / 1000);
      const payload = { iss: url, aud: audience, sub, iat: now, exp: now + 3600, ...claims };
      return new SignJWT(payload).setProtectedHeader({ alg: key.alg, kid: key.kid }).sign(key.privateKey);
    },
    async rotate(alg: 'RS256' | 'ES256' | 'EdDSA' = 'ES256') {
      const key = await makeKey(`key-${keys.length + 1}`, alg);
      keys.push(key);
      return key;
    },
    withdrawOldKeys() {
      keys.splice(0, keys.length - 1);
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  await issuer.rotate();
  return issuer;
}

/** As an issuer makes them; not published until it is one of an issuer's. */
export async function makeKey(kid: string, alg: 'RS256' | 'ES256' | 'EdDSA'): Promise<Key> {
  const { publicKey, privateKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, privateKey, publicJwk: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}
