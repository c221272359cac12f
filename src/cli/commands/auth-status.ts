import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import type { SignInView } from '../../contract/sign-in.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { githubDotCom, githubOf, missingScopes } from '../github/github-host.ts';
import type { GithubHost } from '../github/github-host.ts';
import { findGithubToken } from '../github/github-token.ts';
import type { GithubToken } from '../github/github-token.ts';
import { moreScopes } from '../github/more-scopes.ts';
import { askWhoAmI } from '../github/sign-in.ts';
import { describeFailure } from '../report-error.ts';
import { connect, connectWithout } from '../server/connect.ts';
import { printResult } from '../terminal/print.ts';
import { formatFields } from '../terminal/table.ts';

type AtServer = {
  readonly url: string;
  /** Null when it cannot be asked. */
  readonly mode: SignInView['mode'] | null;
  readonly username: string | null;
  readonly problem: string | null;
};
type OnGithub = {
  readonly host: string;
  readonly username: string | null;
  readonly token_from: GithubToken['from'] | null;
  readonly problem: string | null;
};

export const authStatus = defineCommand({
  description:
    'Says who you are at the server, and on GitHub where the server asks GitHub. Ends with 4 when the server does not know you, and with 7 when it cannot be reached.',
  examples: ['nexus auth status', 'nexus auth status --json'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not find out who you are',
  async run({ json }, context) {
    const signIn = await (await connectWithout(context)).call('getSignIn').catch(() => null);
    const isOnGithub = signIn === null || signIn.mode === 'github';
    const [{ server, exitCode }, github] = await Promise.all([
      atServer(context, signIn),
      isOnGithub ? onGithub(context, signIn === null ? githubDotCom : githubOf(signIn)) : null,
    ]);
    const text = (): string =>
      formatFields(
        [
          ['Server', serverText(server)],
          ['GitHub', github === null ? `not asked by a server in ${server.mode} mode` : githubText(github)],
        ],
        context.stdout,
      );
    printResult(context, { server, github }, { json, text });
    return exitCode;
  },
});

function serverText({ username, url, mode, problem }: AtServer): string {
  const how = mode === null ? '' : ` (${mode} mode)`;
  return `${username ?? 'nobody'} at ${url}${how}${why(problem)}`;
}

function githubText({ username, host, token_from, problem }: OnGithub): string {
  const how = token_from === null ? '' : ` (the token is of ${token_from})`;
  return `${username ?? 'nobody'} on ${host}${how}${why(problem)}`;
}

function why(problem: string | null): string {
  return problem === null ? '' : `: ${problem}`;
}

async function atServer(
  context: CliContext,
  signIn: SignInView | null,
): Promise<{ server: AtServer; exitCode: number }> {
  const { baseUrl: url } = await connectWithout(context);
  const mode = signIn?.mode ?? null;
  try {
    const { github_username: username } = await (await connect(context)).call('whoAmI');
    return { server: { url, mode, username, problem: null }, exitCode: exitCodes.done };
  } catch (error) {
    const { exitCode, ...failure } = describeFailure(error, '');
    return { server: { url, mode, username: null, problem: inALine(failure) }, exitCode };
  }
}

async function onGithub(context: CliContext, host: GithubHost): Promise<OnGithub> {
  const token = await findGithubToken(context, host);
  if (token === null)
    return { host: host.name, username: null, token_from: null, problem: 'you are not signed in here' };
  const { from: token_from } = token;
  try {
    const { login: username, scopes } = await askWhoAmI(context, host, token);
    const missing = scopes === null ? [] : missingScopes(scopes);
    const next = moreScopes(host, { from: token_from, scopes: missing });
    const problem = missing.length === 0 ? null : `it does not allow ${missing.join(', ')} → ${next}`;
    return { host: host.name, username, token_from, problem };
  } catch (error) {
    return { host: host.name, username: null, token_from, problem: inALine(describeFailure(error, '')) };
  }
}

function inALine({ why: reason, next }: { why: string; next: string | null }): string {
  return next === null ? reason : `${reason} → ${next}`;
}
