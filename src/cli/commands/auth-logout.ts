import { usageError } from '../cli-error.ts';
import { defineCommand } from '../command.ts';
import { removeCredential } from '../github/credentials-file.ts';
import { findGithubHost } from '../github/github-host.ts';
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
    const host = await findGithubHost(await connectWithout(context));
    const removed = await removeCredential(context.env, host.name);
    context.stdout.write(
      removed ? `The token of ${host.name} is forgotten here.\n` : `Nexus kept no token of ${host.name}.\n`,
    );
    const left = await findGithubToken(context, host);
    if (left === null) return;
    const how = left.from === 'gh' ? `gh auth logout --hostname ${host.name}` : `unset ${left.from}`;
    context.stderr.write(`! You are still signed in, through ${left.from}: ${how}\n`);
  },
});
