/** The person's GitHub token: from the environment, from gh, or of a sign-in without gh. */
import type { CliContext } from '../context.ts';
import { readCredential } from './credentials-file.ts';
import { tokenOfGh } from './gh.ts';
import type { GithubHost } from './github-host.ts';

export const tokenVariables = ['GITHUB_TOKEN', 'GH_TOKEN'] as const;

export type GithubToken = {
  readonly token: string;
  readonly from: (typeof tokenVariables)[number] | 'gh' | 'credentials';
};

/** Null when the person is not signed in to this GitHub here. */
export async function findGithubToken(context: Pick<CliContext, 'env'>, host: GithubHost): Promise<GithubToken | null> {
  const { env } = context;
  for (const from of tokenVariables) {
    const token = env[from];
    if (token) return { token, from };
  }
  const ofGh = await tokenOfGh(context, host);
  if (ofGh !== null) return { token: ofGh, from: 'gh' };
  const kept = await readCredential(env, host.name);
  return kept === null ? null : { token: kept, from: 'credentials' };
}
