import { CliError, failure } from '../cli-error.ts';
import { refreshCommand } from './gh.ts';
import type { GithubApi } from './github-api.ts';
import type { GithubHost } from './github-host.ts';
import type { GithubToken } from './github-token.ts';

type UserKey = { readonly key: string };

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
  const listed = await api.call('GET /user/keys', { per_page: 100 });
  if (listed === null) throw mayNot(host, from);
  if ((listed.data as readonly UserKey[]).some((one) => one.key === key)) return false;
  const made = await api.call('POST /user/keys', { title, key }).catch((error: unknown) => {
    throw isTaken(error) ? onAnotherAccount(host) : error;
  });
  if (made === null) throw mayNot(host, from);
  return true;
}

function isTaken(error: unknown): boolean {
  const { status, response } = (error instanceof CliError ? error.cause : {}) as {
    status?: number;
    response?: { data?: unknown };
  };
  return status === 422 && JSON.stringify(response?.data ?? '').includes('already in use');
}

function onAnotherAccount(host: GithubHost): CliError {
  return failure(`The key is on another account of ${host.name}, and a key can be on one only.`, {
    next: 'nexus ssh setup --generate --key-path ~/.ssh/nexus',
  });
}

/** GitHub says that what a token may not see is not there. */
function mayNot(host: GithubHost, from: GithubToken['from']): CliError {
  return failure(`The token of ${from} may not change your SSH keys on ${host.name}.`, {
    next: from === 'gh' ? refreshCommand(host, ['admin:public_key']) : 'nexus auth github --force',
  });
}
