/** The repository that a person works in: their own, one that they may push to, or their fork of somebody else's. */
import { setTimeout as delay } from 'node:timers/promises';
import { NexusError } from '../../contract/errors.ts';
import type { CreateWorkspaceInput } from '../../contract/workspace.ts';
import { CliError } from '../cli-error.ts';
import { exitCodes } from '../exit-codes.ts';
import type { RemoteRepository } from '../git/repository-reference.ts';
import { bringBranch, hasBranch } from './fork-branch.ts';
import type { GithubApi } from './github-api.ts';
import type { GithubHost } from './github-host.ts';

export type WorkingRepository = {
  readonly repo: CreateWorkspaceInput['repo'] & { readonly url: string };
  /** `own`: pushed to directly. `readable`: it cannot be pushed to, and no fork was wanted. */
  readonly kind: 'own' | 'fork_found' | 'fork_made' | 'readable';
};

/** What of GitHub's answers is read. */
type Repository = {
  readonly full_name: string;
  readonly name: string;
  readonly owner: { readonly login: string };
  readonly default_branch: string;
  readonly permissions?: { readonly push?: boolean };
  readonly fork: boolean;
  readonly parent?: { readonly full_name: string };
  readonly source?: { readonly full_name: string };
};
type Pull = {
  readonly head: { readonly ref: string; readonly repo: Repository | null };
};

export type WorkingOptions = {
  readonly host: GithubHost;
  readonly login: string;
  /** Somebody else's is forked, unless this is false. */
  readonly fork: boolean;
  /** Asked before GitHub makes a fork. What it throws keeps it from that. */
  readonly beforeFork?: (original: {
    url: string;
    isForkedAs: (fullName: string) => Promise<boolean>;
  }) => Promise<void>;
  /** Told what takes a while at GitHub, and what was done there. */
  readonly onProgress: (text: string) => void;
  readonly signal: AbortSignal;
  /** For tests. */
  readonly forkWithinMs?: number;
};

const forkWithinMs = 5 * 60_000;
const lookEveryMs = 1_000;
const pullRef = /^refs\/pull\/(\d+)\/head$/;

/**
 * @throws github_repo_not_found, github_unreachable, github_rate_limited; timeout when GitHub's fork does not come;
 *   CliError when GitHub refuses to fork
 */
export async function findWorkingRepository(
  api: GithubApi,
  wanted: RemoteRepository,
  options: WorkingOptions,
): Promise<WorkingRepository> {
  const original = await getRepository(api, `${wanted.owner}/${wanted.name}`, options.host);
  const pull = pullRef.exec(wanted.branch ?? '')?.[1];
  if (pull !== undefined) return ofPull(api, original, pull, options);
  const name = wanted.branchMayHaveFolder ? await branchAlone(api, original, wanted.branch) : wanted.branch;
  const branch = name === null ? {} : { branch: name };
  if (original.permissions?.push === true) return { repo: { ...repoOf(original, options), ...branch }, kind: 'own' };
  if (!options.fork) return { repo: { ...repoOf(original, options), ...branch }, kind: 'readable' };
  const { fork, isNew } = await forkOf(api, original, options);
  if (!isNew && name !== null) {
    const names = { fork: fork.full_name, original: original.full_name, branch: name };
    if (await bringBranch(api, names)) options.onProgress(`${fork.full_name} has the branch ${name} now`);
  }
  return {
    repo: { ...repoOf(fork, options), ...branch, ...asFork(original, options) },
    kind: isNew ? 'fork_made' : 'fork_found',
  };
}

/** Of `feature/x/src/app` that much which is a branch; all of it when none of it is. */
async function branchAlone(api: GithubApi, { full_name }: Repository, text: string | null): Promise<string | null> {
  const parts = text?.split('/') ?? [];
  for (let count = parts.length; count > 0; count -= 1) {
    const name = parts.slice(0, count).join('/');
    if (await hasBranch(api, full_name, name)) return name;
  }
  return text;
}

/** The branch of the request where it can be pushed to; else what it is, to read and try. */
async function ofPull(
  api: GithubApi,
  original: Repository,
  number: string,
  options: WorkingOptions,
): Promise<WorkingRepository> {
  const answer = await api.call(`GET /repos/${original.full_name}/pulls/${number}`);
  if (answer === null)
    throw new CliError(`${original.full_name} has no pull request ${number}.`, {
      exitCode: exitCodes.notFound,
      next: `${options.host.webUrl}/${original.full_name}/pulls`,
    });
  const { head } = answer.data as Pull;
  const source = head.repo === null ? null : await findRepository(api, head.repo.full_name);
  if (source?.permissions?.push !== true)
    return { repo: { ...repoOf(original, options), branch: `refs/pull/${number}/head` }, kind: 'readable' };
  const upstream = source.full_name === original.full_name ? {} : asFork(original, options);
  return { repo: { ...repoOf(source, options), branch: head.ref, ...upstream }, kind: 'own' };
}

async function forkOf(
  api: GithubApi,
  original: Repository,
  options: WorkingOptions,
): Promise<{ fork: Repository; isNew: boolean }> {
  const sameName = await findRepository(api, `${options.login}/${original.name}`);
  if (sameName !== null && isForkOf(sameName, original)) return { fork: sameName, isNew: false };
  await options.beforeFork?.({
    url: repoOf(original, options).url,
    isForkedAs: async (fullName) => {
      const found = await findRepository(api, fullName);
      return found !== null && isForkOf(found, original);
    },
  });
  // GitHub answers with the fork that there is, whatever its name, or begins one.
  const answer = await api.call(`POST /repos/${original.full_name}/forks`, { default_branch_only: false });
  if (answer === null) throw new NexusError('github_repo_not_found', { repository: original.full_name });
  const begun = answer.data as Repository & { readonly created_at?: string };
  const fork = await untilThere(api, begun.full_name, options);
  const age = Date.now() - Date.parse(begun.created_at ?? '');
  return { fork, isNew: !(age > 5 * 60_000) };
}

/** GitHub copies in the background; the branch is the last thing that comes. */
async function untilThere(api: GithubApi, fullName: string, options: WorkingOptions): Promise<Repository> {
  const patienceMs = options.forkWithinMs ?? forkWithinMs;
  const deadlineMs = performance.now() + patienceMs;
  let isTold = false;
  for (;;) {
    const fork = await findRepository(api, fullName);
    if (fork !== null && (await hasBranch(api, fullName, fork.default_branch))) return fork;
    if (performance.now() > deadlineMs)
      throw new NexusError('timeout', { what: `Making the fork ${fullName}`, seconds: patienceMs / 1000 });
    if (!isTold) options.onProgress(`GitHub makes your fork ${fullName}`);
    isTold = true;
    await delay(lookEveryMs, undefined, { signal: options.signal });
  }
}

function isForkOf(one: Repository, original: Repository): boolean {
  const origins = [one.parent?.full_name, one.source?.full_name];
  return one.fork && [original.full_name, original.source?.full_name].some((name) => name && origins.includes(name));
}

/** Its page is the place to ask for access: GitHub says the same of what is not there and of what may not be seen. */
async function getRepository(api: GithubApi, fullName: string, host: GithubHost): Promise<Repository> {
  const found = await findRepository(api, fullName);
  if (found !== null) return found;
  const { message } = new NexusError('github_repo_not_found', { repository: fullName });
  throw new CliError(message, { exitCode: exitCodes.notFound, next: `${host.webUrl}/${fullName}` });
}

async function findRepository(api: GithubApi, fullName: string): Promise<Repository | null> {
  return ((await api.call(`GET /repos/${fullName}`))?.data ?? null) as Repository | null;
}

function repoOf({ owner, name, full_name }: Repository, { host }: WorkingOptions): WorkingRepository['repo'] {
  return { owner: owner.login, name, url: `${host.webUrl}/${full_name}.git` };
}

function asFork(original: Repository, { host }: WorkingOptions): { is_fork: true; upstream_url: string } {
  return { is_fork: true, upstream_url: `${host.webUrl}/${original.full_name}.git` };
}
