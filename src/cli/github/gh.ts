/** GitHub's own command, when it is there: it signs in, and keeps the token. */
import { execFile } from 'node:child_process';
import type { CliContext } from '../context.ts';
import { runInOurPlace } from '../ssh/run-program.ts';
import type { GithubHost } from './github-host.ts';

type Env = Pick<CliContext, 'env'>;

export async function hasGh({ env }: Env): Promise<boolean> {
  return (await gh(env, ['--version'])) !== null;
}

/** Asked for each time and never kept by us; null when there is no gh, or it is not signed in there. */
export async function tokenOfGh({ env }: Env, host: GithubHost): Promise<string | null> {
  const printed = await gh(env, ['auth', 'token', '--hostname', host.name]);
  return printed?.trim() || null;
}

/** gh's own questions at this terminal. @returns its exit code */
export function signInWithGh(host: GithubHost, scopes: readonly string[]): Promise<number> {
  // With this protocol it asks for no SSH key; older ones know no option for that.
  const how = ['--git-protocol', 'https', '--web'];
  return runInOurPlace('gh', ['auth', 'login', '--hostname', host.name, ...how, '--scopes', scopes.join(',')]);
}

/** The command that adds scopes to gh's token. */
export function refreshCommand(host: GithubHost, scopes: readonly string[]): string {
  return `gh ${refreshArgs(host, scopes).join(' ')}`;
}

/** The same at this terminal. @returns its exit code */
export function refreshGh(host: GithubHost, scopes: readonly string[]): Promise<number> {
  return runInOurPlace('gh', refreshArgs(host, scopes));
}

function refreshArgs(host: GithubHost, scopes: readonly string[]): string[] {
  return ['auth', 'refresh', '--hostname', host.name, '--scopes', scopes.join(',')];
}

/** What it printed; null when it is not there or failed. */
function gh(env: CliContext['env'], args: readonly string[]): Promise<string | null> {
  return new Promise((resolve) => {
    const child = execFile('gh', [...args], { env: { ...env } }, (error, stdout) =>
      resolve(error === null ? stdout : null),
    );
    child.stdin?.end();
  });
}
