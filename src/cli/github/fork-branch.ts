/** Branches of forks. */
import { CliError, failure } from '../cli-error.ts';
import { shellQuote } from '../terminal/format.ts';
import type { GithubApi } from './github-api.ts';

export async function hasBranch(api: GithubApi, fullName: string, branch: string): Promise<boolean> {
  return (await getBranch(api, fullName, branch)) !== null;
}

/**
 * Makes a branch in a fork that the original got after it was forked; GitHub has the commits of both in one place, which
 * `gh repo sync` relies on too. A tag or a commit is left alone.
 *
 * @returns whether it was made
 * @throws CliError when GitHub refuses
 */
export async function bringBranch(
  api: GithubApi,
  { fork, original, branch }: { fork: string; original: string; branch: string },
): Promise<boolean> {
  if (await hasBranch(api, fork, branch)) return false;
  const wanted = await getBranch(api, original, branch);
  if (wanted === null) return false;
  const body = { ref: `refs/heads/${branch}`, sha: wanted.commit.sha };
  let said = '';
  const made = await api.call(`POST /repos/${fork}/git/refs`, body).catch((error: unknown) => {
    // Of a branch with other workflows GitHub wants a scope more.
    if (!(error instanceof CliError)) throw error;
    said = ` ${error.message}`;
    return null;
  });
  if (made !== null) return true;
  throw failure(
    `Your fork ${fork} does not have the branch ${branch} of ${original} yet, and could not get it.${said}`,
    {
      next: `nexus up ${original} --branch ${shellQuote(branch)} --no-fork`,
    },
  );
}

type Branch = { readonly commit: { readonly sha: string } };

async function getBranch(api: GithubApi, fullName: string, branch: string): Promise<Branch | null> {
  const answer = await api.call(`GET /repos/${fullName}/branches/${encodeURIComponent(branch)}`);
  return answer === null ? null : (answer.data as Branch);
}
