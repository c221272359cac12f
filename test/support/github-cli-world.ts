/** The command line against the API in GitHub mode, with a fake GitHub as its GitHub Enterprise Server. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { neededScopes } from '../../src/contract/sign-in.ts';
import { addPrograms, createCliWorld, type CliWorld } from './cli-world.ts';
import type { FakeGithub } from './fake-github/fake-github.ts';
import { githubMode, startTrustedGithub } from './trusted-github.ts';

export type GithubCliWorld = AsyncDisposable & {
  readonly github: FakeGithub;
  readonly world: CliWorld;
  /** The environment of somebody who has a new token, which allows all that is needed. */
  signedIn(login: string): Record<'NEXUS_TOKEN' | 'GITHUB_TOKEN' | 'NODE_EXTRA_CA_CERTS' | 'GIT_SSL_CAINFO', string>;
};

export type GithubCliOptions = {
  /** What `spawn` runs; absent: the sources. */
  readonly program?: readonly string[];
  /** More of the server's configuration. */
  readonly env?: Record<string, string>;
};

export async function createGithubCliWorld({ program, env = {} }: GithubCliOptions = {}): Promise<GithubCliWorld> {
  const github = await startTrustedGithub();
  const world = await createCliWorld({
    ...(program ? { program } : {}),
    api: { authenticator: 'configured', env: { ...githubMode(github), ...env } },
  });
  return {
    github,
    world,
    signedIn: (login) => ({
      NEXUS_TOKEN: '',
      GITHUB_TOKEN: github.addToken(login, { scopes: [...neededScopes] }),
      NODE_EXTRA_CA_CERTS: github.bundleFile,
      GIT_SSL_CAINFO: github.bundleFile,
    }),
    async [Symbol.asyncDispose]() {
      await world[Symbol.asyncDispose]();
      await github[Symbol.asyncDispose]();
    },
  };
}

/**
 * alice, who has an empty home and knows of no server, and my-org/shop. Workspaces run as soon as they are asked for;
 * OpenSSH and VS Code are stood in for by programs in `bin`.
 */
export async function createNewUserWorld(
  options?: GithubCliOptions,
): Promise<GithubCliWorld & { readonly bin: string }> {
  const made = await createGithubCliWorld(options);
  const { github, world } = made;
  github.addUser('alice');
  await github.addRepository('my-org/shop', { files: { 'README.md': 'Shop' } });
  world.api.settleAtOnce();
  await rm(join(world.home, '.ssh'), { recursive: true });
  return { ...made, bin: await addPrograms(world, ['ssh', 'code']) };
}
