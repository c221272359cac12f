/** What git is answered in a workspace: the texts that git and its credential helpers exchange (gitcredentials(7), git-credential(1)). */
import type { GitCredential } from '../../contract/control-protocol.ts';

export type Lent = Omit<GitCredential, 'workspaces'>;

export type GitQuestion = {
  /** `get`; `erase`: what was answered is not accepted; `store`: it is. */
  readonly operation: string;
  /** Lines of a name, `=`, and a value. */
  readonly attributes: string;
};

export type GitAnswer =
  | { readonly credential: string }
  /** For a person: why there is none. `isRejected`: GitHub refused the one that was given. */
  | { readonly reason: string; readonly isRejected?: true }
  | { readonly nothing: true };

const signIn = 'on your own machine: nexus auth github --force, then any other nexus command';

export function answerGit({ operation, attributes }: GitQuestion, lent: Lent | undefined, now: Date): GitAnswer {
  const asked = parseAttributes(attributes);
  if (operation === 'erase') {
    if (!lent || asked.get('password') !== lent.token) return { nothing: true };
    return { reason: `GitHub does not accept the token of ${lent.username}; sign in ${signIn}`, isRejected: true };
  }
  if (operation !== 'get') return { nothing: true };
  if (!lent) return { reason: `there is no GitHub token for this workspace; sign in ${signIn}` };
  if (`${asked.get('protocol')}://${asked.get('host')}` !== lent.host) return { nothing: true };
  const user = asked.get('username');
  if (user !== undefined && user.toLowerCase() !== lent.username.toLowerCase()) return { nothing: true };
  const expiry = lent.expires_at === null ? null : new Date(lent.expires_at);
  if (expiry && expiry <= now) {
    return { reason: `the GitHub token of ${lent.username} ended at ${lent.expires_at}; sign in ${signIn}` };
  }
  const lines = [
    `username=${lent.username}`,
    `password=${lent.token}`,
    ...(expiry ? [`password_expiry_utc=${Math.floor(expiry.getTime() / 1000)}`] : []),
  ];
  return { credential: `${lines.join('\n')}\n` };
}

function parseAttributes(text: string): Map<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at === -1 ? [] : [[line.slice(0, at), line.slice(at + 1)] as const];
  });
  return new Map(pairs);
}
