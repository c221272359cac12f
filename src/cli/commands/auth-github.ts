import { usageError } from '../cli-error.ts';
import { defineCommand, flagOption, jsonOption } from '../command.ts';
import { nexusPaths } from '../files/nexus-paths.ts';
import { setUserConfigValue } from '../files/user-config-file.ts';
import { githubDotCom, githubOf } from '../github/github-host.ts';
import { signIn } from '../github/sign-in.ts';
import { connectWithout } from '../server/connect.ts';
import { printResult } from '../terminal/print.ts';

export const authGithub = defineCommand({
  description:
    "Signs in to GitHub: through gh when it is there, else with a code in your browser (GitHub's device flow).",
  examples: ['nexus auth github', 'nexus auth github --force', 'GITHUB_TOKEN=… nexus auth github'],
  configure(command) {
    command.option('--force', 'sign in again, also when you are signed in').option(...jsonOption);
  },
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return { force: flagOption(typed, 'force'), json: flagOption(typed, 'json') };
  },
  failure: () => 'Could not sign in to GitHub',
  async run({ force, json }, context) {
    const server = await connectWithout(context);
    const info = await server.call('getSignIn').catch(() => null);
    const host = info === null ? githubDotCom : githubOf(info);
    const { login, token, scopes } = await signIn(context, host, { force });
    await setUserConfigValue(nexusPaths(context.env).configFile, ['github', 'username'], login);
    if (info !== null && info.mode !== 'github')
      context.stderr.write(`! ${server.baseUrl} is in ${info.mode} mode, and does not ask GitHub who you are\n`);
    printResult(
      context,
      { host: host.name, username: login, token_from: token.from, scopes },
      { json, text: () => `You are ${login} on ${host.name} (the token is of ${token.from}).\n` },
    );
  },
});
