/** Signing in to GitHub: through gh when it is there, else by GitHub's device flow. */
import { CliError, failure } from '../cli-error.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { saveCredential } from './credentials-file.ts';
import { isDeviceFlowDisabled, signInWithDevice } from './device-flow.ts';
import { hasGh, refreshCommand, refreshGh, signInWithGh } from './gh.ts';
import { createGithubApi } from './github-api.ts';
import { neededScopes } from '../../contract/sign-in.ts';
import { missingScopes } from './github-host.ts';
import type { GithubHost } from './github-host.ts';
import { findGithubToken, tokenVariables } from './github-token.ts';
import { moreScopes } from './more-scopes.ts';
import { signInInBrowser } from './web-flow.ts';
import { assertMayCarryToken, connectWithout } from '../server/connect.ts';
import type { GithubToken } from './github-token.ts';

export type GithubAccount = {
  readonly login: string;
  readonly id: number;
  readonly token: GithubToken;
  /** Null: a fine-grained token, of which GitHub names none. */
  readonly scopes: readonly string[] | null;
};

/** An answer takes a few tenths of a second; requests that fail are made again for up to a minute. */
const slowAfterMs = 2_000;

/** Whose the token is, and what it allows. @throws CliError when GitHub does not accept it, github_unreachable */
export async function askWhoAmI(context: CliContext, host: GithubHost, token: GithubToken): Promise<GithubAccount> {
  const api = createGithubApi(host, token, { signal: context.interrupt });
  const answer = await api.call('GET /user');
  if (answer === null) throw failure(`${host.apiUrl} is not GitHub's API: it does not know /user.`);
  const { login, id } = answer.data as { login: string; id: number };
  const header = answer.headers['x-oauth-scopes'];
  const scopes = typeof header === 'string' ? header.split(',').map((scope) => scope.trim()) : null;
  return { login, id, token, scopes: scopes?.filter((scope) => scope !== '') ?? null };
}

/**
 * The account that is signed in here; without one (or with `force`) the person signs in now.
 * @param options.onWait told once when GitHub takes long
 * @throws CliError when nobody can be asked, it is denied, or the token allows too little
 */
export async function signIn(
  context: CliContext,
  host: GithubHost,
  options: { force: boolean; onWait?: () => void },
): Promise<GithubAccount> {
  const known = options.force ? null : await findGithubToken(context, host);
  const token = known ?? (await newToken(context, host));
  const waiting = setTimeout(() => options.onWait?.(), slowAfterMs);
  const account = await askWhoAmI(context, host, token).finally(() => clearTimeout(waiting));
  const missing = scopesMissingIn(account);
  if (missing.length === 0) return account;
  const asked = await askForScopes(context, host, { account, missing });
  const stillMissing = scopesMissingIn(asked);
  if (stillMissing.length > 0) throw lacksScopes(asked, host, stillMissing);
  return asked;
}

function scopesMissingIn({ scopes }: GithubAccount): string[] {
  return scopes === null ? [] : missingScopes(scopes);
}

/** gh's own sign-in allows less than is needed here, so that it is asked for more at once where somebody can answer. */
async function askForScopes(
  context: CliContext,
  host: GithubHost,
  { account, missing }: { account: GithubAccount; missing: readonly string[] },
): Promise<GithubAccount> {
  if (account.token.from !== 'gh' || context.stdin.isTTY !== true) return account;
  context.stderr.write(`gh is signed in without ${missing.join(', ')}: ${refreshCommand(host, missing)}\n`);
  if ((await refreshGh(host, missing)) !== 0) return account;
  const token = await findGithubToken(context, host);
  return token === null ? account : askWhoAmI(context, host, token);
}

async function newToken(context: CliContext, host: GithubHost): Promise<GithubToken> {
  const inEnvironment = tokenVariables.find((name) => context.env[name]);
  if (inEnvironment !== undefined)
    throw new CliError(`${inEnvironment} is set, and counts before any other way to sign in.`, {
      exitCode: exitCodes.notSignedIn,
      next: `unset ${inEnvironment}`,
    });
  if (context.stdin.isTTY !== true) throw notSignedIn(host);
  if (await hasGh(context)) {
    const exitCode = await signInWithGh(host, neededScopes);
    const token = exitCode === 0 ? await findGithubToken(context, host) : null;
    if (token === null)
      throw new CliError(`gh did not sign in to ${host.name}.`, {
        exitCode: exitCodes.notSignedIn,
        next: `gh auth login --hostname ${host.name}`,
      });
    return token;
  }
  const { clientId } = host;
  if (clientId === null)
    throw new CliError('gh is not installed here, and the server has no OAuth app for signing in without it.', {
      exitCode: exitCodes.notSignedIn,
      next: 'https://cli.github.com tells how gh is installed',
    });
  const token = await signInWithDevice(context, { ...host, clientId }).catch(async (error: unknown) => {
    if (!host.webFlow || !isDeviceFlowDisabled(error)) throw error;
    const server = await connectWithout(context);
    // The token comes from there.
    assertMayCarryToken(context, server.baseUrl);
    return signInInBrowser(context, { host, server });
  });
  await saveCredential(context.env, host.name, token);
  return { token, from: 'credentials' };
}

function notSignedIn(host: GithubHost): CliError {
  return new CliError(`You are not signed in to ${host.name}, and there is no terminal to do it at.`, {
    exitCode: exitCodes.notSignedIn,
    next: 'export GITHUB_TOKEN=…',
  });
}

function lacksScopes({ login, token }: GithubAccount, host: GithubHost, missing: readonly string[]): CliError {
  return new CliError(`The token of ${login} (from ${token.from}) does not allow ${missing.join(', ')}.`, {
    exitCode: exitCodes.notSignedIn,
    next: moreScopes(host, { from: token.from, scopes: missing }),
  });
}
