import { usageError } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { hostsOfCredentials, removeCredential } from '../github/credentials-file.ts';
import { githubDotCom, githubOf } from '../github/github-host.ts';
import { findGithubToken } from '../github/github-token.ts';
import { connectWithout } from '../server/connect.ts';

export const authLogout = defineCommand({
  description: 'Forgets the GitHub token that nexus keeps. That of gh is left to gh.',
  examples: ['nexus auth logout'],
  configure: () => undefined,
  parse(typed) {
    if (typed.operands.length > 0 || typed.afterDashes) throw usageError('Nothing more is taken.');
    return {};
  },
  failure: () => 'Could not sign out',
  async run(_options, context) {
    const { env, stdout, stderr } = context;
    const signIn = await (await connectWithout(context)).call('getSignIn').catch(() => null);
    const host = signIn === null ? githubDotCom : githubOf(signIn);
    // Where the server does not tell which GitHub it is, all of them are forgotten.
    const hosts = signIn?.mode === 'github' ? [host.name] : await hostsOfCredentials(env);
    const removed: string[] = [];
    for (const name of hosts) if (await removeCredential(env, name)) removed.push(name);
    stdout.write(
      removed.length > 0
        ? `The token of ${removed.join(', ')} is forgotten here.\n`
        : `Nexus kept no token of ${host.name}.\n`,
    );
    const left = await findGithubToken(context, host);
    const how = left?.from === 'gh' ? `gh auth logout --hostname ${host.name}` : `unset ${left?.from}`;
    if (left !== null) stderr.write(`! You are still signed in, through ${left.from}: ${how}\n`);
    if (env['NEXUS_TOKEN'])
      stderr.write('! You are still signed in at the server, through NEXUS_TOKEN: unset NEXUS_TOKEN\n');
  },
});
