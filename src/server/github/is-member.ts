import { z } from 'zod';
import type { GithubApi } from './github-api.ts';

const membership = z.object({ state: z.literal('active') });

/**
 * Whether the owner of the token is an active member of one of the organizations; of no organizations, everybody is.
 * @throws github_unreachable, github_rate_limited
 */
export async function isMember(github: GithubApi, organizations: readonly string[], token: string): Promise<boolean> {
  if (organizations.length === 0) return true;
  for (const organization of organizations) {
    const { status, body } = await github.get(`/user/memberships/orgs/${organization}`, token);
    if (status === 200 && membership.safeParse(body).success) return true;
  }
  return false;
}
