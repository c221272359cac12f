import { CliError, failure } from '../cli-error.ts';
import { moreScopes } from './more-scopes.ts';
import type { GithubApi } from './github-api.ts';
import type { GithubHost } from './github-host.ts';
import type { GithubToken } from './github-token.ts';

type UserKey = { readonly key: string };

const perPage = 100;

/**
 * Puts an SSH public key on the person's GitHub account.
 * @returns whether it was new there
 * @throws CliError when it is on another account, or the token may not do it
 */
export async function uploadKey(
  api: GithubApi,
  options: { publicKey: string; title: string; host: GithubHost; from: GithubToken['from'] },
): Promise<boolean> {
  const { publicKey, title, host, from } = options;
  // Without its comment, as GitHub keeps it.
  const key = publicKey.split(' ').slice(0, 2).join(' ');
  if (await isThere(api, key, { host, from })) return false;
  const made = await api.call('POST /user/keys', { title, key }).catch((error: unknown) => {
    throw isTaken(error) ? onAnotherAccount(host) : error;
  });
  if (made === null) throw mayNot(host, from);
  return true;
}

type Who = { readonly host: GithubHost; readonly from: GithubToken['from'] };

async function isThere(api: GithubApi, key: string, { host, from }: Who): Promise<boolean> {
  for (let page = 1; ; page += 1) {
    const listed = await api.call('GET /user/keys', { per_page: perPage, page });
    if (listed === null) throw mayNot(host, from);
    const keys = listed.data as readonly UserKey[];
    if (keys.some((one) => one.key === key)) return true;
    if (keys.length < perPage) return false;
  }
}

function isTaken(error: unknown): boolean {
  const { status, response } = (error instanceof CliError ? error.cause : {}) as {
    status?: number;
    response?: { data?: unknown };
  };
  return status === 422 && JSON.stringify(response?.data ?? '').includes('already in use');
}

function onAnotherAccount(host: GithubHost): CliError {
  return failure(
    `The key is on another account of ${host.name} (or is the deploy key of a repository), and a key can be on one only. Your workspaces are reached with it all the same; a key for this account alone is made with the next line.`,
    { next: 'nexus ssh setup --generate --key-path ~/.ssh/nexus --yes' },
  );
}

/** GitHub says that what a token may not see is not there. */
function mayNot(host: GithubHost, from: GithubToken['from']): CliError {
  return failure(`The token of ${from} may not change your SSH keys on ${host.name}.`, {
    next: moreScopes(host, { from, scopes: ['admin:public_key'] }),
  });
}
