/** The API in GitHub mode, with a fake GitHub as its GitHub Enterprise Server. */
import { createClient } from '../../src/contract/api-client.ts';
import type { Client } from '../../src/contract/api-client.ts';
import { createApiWorld } from './api-world.ts';
import type { ApiWorld } from './api-world.ts';
import type { FakeGithub } from './fake-github/fake-github.ts';
import { githubMode, startTrustedGithub } from './trusted-github.ts';

export type GithubWorld = AsyncDisposable & {
  readonly github: FakeGithub;
  readonly world: ApiWorld;
  readonly tokens: Record<'alice' | 'bob' | 'root', string>;
  as(user: 'alice' | 'bob' | 'root'): Client;
  /** The raw answer, for its headers. */
  ask(token: string, path: string): Promise<{ status: number; headers: Headers; body: Record<string, unknown> }>;
};

/** Alice, Bob and Root, who is an administrator. @param env more of the server's configuration */
export async function createGithubWorld({ env = {} }: { env?: Record<string, string> } = {}): Promise<GithubWorld> {
  const github = await startTrustedGithub();
  for (const login of ['alice', 'bob', 'Root']) github.addUser(login);
  const tokens = {
    alice: github.addToken('alice'),
    bob: github.addToken('bob', { scopes: null }),
    root: github.addToken('Root'),
  };
  const world = await createApiWorld({
    authenticator: 'configured',
    env: {
      ...githubMode(github),
      NEXUS_ADMINS: 'root',
      ...env,
    },
  });
  return {
    github,
    world,
    tokens,
    as: (user) => createClient({ baseUrl: world.baseUrl, token: tokens[user] }),
    async ask(token, path) {
      const response = await fetch(`${world.baseUrl}/api/v1${path}`, { headers: { authorization: `Bearer ${token}` } });
      const body = (await response.json()) as Record<string, unknown>;
      return { status: response.status, headers: response.headers, body };
    },
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await github[Symbol.asyncDispose]();
    },
  };
}
