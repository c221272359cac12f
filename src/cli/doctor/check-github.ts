/** GitHub as it is seen from here, where the server asks it who people are. */
import type { Client } from '../../contract/api-client.ts';
import { NexusError } from '../../contract/errors.ts';
import type { CliContext } from '../context.ts';
import { githubOf, missingScopes } from '../github/github-host.ts';
import { findGithubToken } from '../github/github-token.ts';
import { moreScopes } from '../github/more-scopes.ts';
import { askWhoAmI } from '../github/sign-in.ts';
import { describeFailure } from '../report-error.ts';
import { broken, ok, warning } from './finding.ts';
import type { Finding } from './finding.ts';

const whenAway = 'https://www.githubstatus.com tells whether it is down; behind a proxy, export HTTPS_PROXY=…';

export async function checkGithub(context: CliContext, client: Client): Promise<Finding[]> {
  const info = await client.call('getSignIn').catch(() => null);
  if (info?.mode !== 'github') return [];
  const name = 'GitHub';
  const host = githubOf(info);
  const token = await findGithubToken(context, host);
  if (token === null)
    return context.env['NEXUS_TOKEN']
      ? []
      : [broken(name, `nobody is signed in to ${host.name} here`, 'nexus auth github')];
  try {
    const { login, scopes } = await askWhoAmI(context, host, token);
    const missing = scopes === null ? [] : missingScopes(scopes);
    return missing.length === 0
      ? [ok(name, `${login} on ${host.name} (the token is of ${token.from})`)]
      : [
          warning(
            name,
            `the token lacks ${missing.join(', ')}`,
            moreScopes(host, { from: token.from, scopes: missing }),
          ),
        ];
  } catch (error) {
    const { why, next } = describeFailure(error, '');
    const isAway = error instanceof NexusError && error.code === 'github_unreachable';
    return [broken(name, why, isAway || next === null ? whenAway : next)];
  }
}
