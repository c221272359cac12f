/** Errors of who asks: signing in, keys, and GitHub. */
import { define } from './entry.ts';

export const accountErrors = {
  unauthorized: define<{ reason: string }>({
    status: 401,
    meaning: 'No token, or one that is not accepted.',
    message: ({ reason }) => `You are not signed in: ${reason}.`,
    hint: () => 'nexus doctor',
  }),
  forbidden: define<{ reason: string }>({
    status: 403,
    meaning: 'You are signed in, but may not do this.',
    message: ({ reason }) => `Not allowed: ${reason}.`,
    hint: () => 'nexus auth status',
  }),
  user_already_registered: define<{ user_id: string; github_username: string; same_key: boolean }>({
    status: 409,
    meaning: 'This user is registered; `same_key` tells whether with the same SSH key.',
    message: ({ github_username, same_key }) =>
      `${github_username} is registered already, with ${same_key ? 'this key' : 'another key'}.`,
    hint: ({ same_key }) => (same_key ? null : 'nexus ssh setup --yes'),
  }),
  ssh_key_mismatch: define<{ expected: string; actual: string }>({
    status: 409,
    meaning: 'An SSH key is not the one that was expected.',
    message: ({ expected, actual }) => `The SSH key is ${actual}, expected ${expected}.`,
    hint: () => 'nexus ssh setup',
  }),
  github_repo_not_found: define<{ repository: string }>({
    status: 404,
    meaning: 'The repository does not exist, or you may not see it.',
    message: ({ repository }) => `The repository ${repository} does not exist or you may not see it.`,
    hint: ({ repository }) => `https://github.com/${repository}`,
  }),
  github_unreachable: define<{ reason: string }>({
    status: 503,
    meaning: 'GitHub does not answer.',
    message: ({ reason }) => `GitHub cannot be reached: ${reason}.`,
    hint: () => 'nexus doctor',
  }),
  issuer_unreachable: define<{ issuer: string; reason: string }>({
    status: 503,
    meaning: 'The issuer of the tokens does not answer, so nobody can be told from anybody.',
    message: ({ issuer, reason }) => `${issuer} cannot be reached: ${reason}.`,
    hint: () => 'nexus doctor',
  }),
  github_rate_limited: define<{ reset_at: string }>({
    status: 503,
    meaning: "GitHub's rate limit is used up.",
    message: ({ reset_at }) => `GitHub's rate limit is used up until ${reset_at}.`,
    hint: () => 'nexus doctor',
  }),
} as const;
