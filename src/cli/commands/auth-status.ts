import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import type { CliContext } from '../context.ts';
import { exitCodes } from '../exit-codes.ts';
import { findGithubHost } from '../github/github-host.ts';
import { findGithubToken } from '../github/github-token.ts';
import { askWhoAmI } from '../github/sign-in.ts';
import { describeFailure } from '../report-error.ts';
import { connect, connectWithout } from '../server/connect.ts';
import { printResult } from '../terminal/print.ts';
import { formatFields } from '../terminal/table.ts';

/** How one of the two signs us in; `problem` tells why it does not. */
type Side = { readonly username: string | null; readonly detail: string; readonly problem: string | null };

export const authStatus = defineCommand({
  description: 'Says who you are at the server and on GitHub. Ends with 4 when the server does not know you.',
  examples: ['nexus auth status'],
  configure: (command) => void command.option(...jsonOption),
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not find out who you are',
  async run({ json }, context) {
    const [server, github] = await Promise.all([atServer(context), onGithub(context)]);
    printResult(
      context,
      { server, github },
      {
        json,
        text: () =>
          formatFields(
            [
              ['Server', `${server.username ?? 'nobody'} at ${server.detail}${why(server)}`],
              ['GitHub', `${github.username ?? 'nobody'} on ${github.detail}${why(github)}`],
            ],
            context.stdout,
          ),
      },
    );
    return server.username === null ? exitCodes.notSignedIn : exitCodes.done;
  },
});

function why({ problem }: Side): string {
  return problem === null ? '' : `: ${problem}`;
}

async function atServer(context: CliContext): Promise<Side> {
  const { baseUrl } = await connectWithout(context);
  try {
    const client = await connect(context);
    const { github_username } = await client.call('whoAmI');
    return { username: github_username, detail: baseUrl, problem: null };
  } catch (error) {
    return { username: null, detail: baseUrl, problem: describeFailure(error, '').why };
  }
}

async function onGithub(context: CliContext): Promise<Side> {
  const host = await findGithubHost(await connectWithout(context));
  const token = await findGithubToken(context, host);
  if (token === null) return { username: null, detail: host.name, problem: 'you are not signed in here' };
  try {
    const { login } = await askWhoAmI(context, host, token);
    return { username: login, detail: `${host.name} (the token is of ${token.from})`, problem: null };
  } catch (error) {
    return { username: null, detail: host.name, problem: describeFailure(error, '').why };
  }
}
