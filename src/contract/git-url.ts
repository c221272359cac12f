import { z } from 'zod';

/** GitHub's and GitLab's tokens, also the old ones of 40 hexadecimal digits. */
const tokenForm = /^(?:gh[a-z]_|github_pat_|glpat-|[0-9a-f]{40}$)/i;

/**
 * Never taken for an option by git, and without a secret: the URL of a workspace is stored, shown and logged.
 */
export const gitUrl = z
  .string()
  .max(2048)
  .regex(/^[^\s\0-][^\s\0]*$/, 'must be a git URL without spaces')
  .refine((url) => !holdsSecret(url), 'must not hold a password or a token, as it is stored and shown');

function holdsSecret(url: string): boolean {
  const authority = /^[a-z][a-z0-9+.-]*:\/\/([^/?#]*)@/i.exec(url)?.[1];
  if (authority === undefined) return false;
  const [user = '', password] = authority.split(':', 2);
  return password !== undefined || tokenForm.test(user);
}
