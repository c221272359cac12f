/** Why a clone failed, in words for people, from what git and ssh said last. */

type Rule = { readonly said: RegExp; readonly reason: (match: RegExpMatchArray) => string };

/** The first rule that fits counts: the more precise stand before the more general. */
const rules: readonly Rule[] = [
  { said: /^nexus: (.+)$/m, reason: ([, own = '']) => own },
  {
    said: /could not read (?:Username|Password)|terminal prompts disabled|Authentication failed|returned error: 401/i,
    reason: () =>
      'it asks for a user name and a password; make it readable, or use an SSH URL whose key the workspace has',
  },
  { said: /Permission denied \(([^)]+)\)/i, reason: () => 'its SSH server did not accept any key of the workspace' },
  { said: /Host key verification failed/i, reason: () => 'the key of its SSH server is not the one that was known' },
  { said: /returned error: 403/i, reason: () => 'access to it is forbidden' },
  {
    said: /(?:Could not resolve (?:host(?:name)?|proxy):?|unable to look up) ?([^\s;:]*)/i,
    reason: ([, host]) => `there is no host ${host || 'of this name'}`,
  },
  {
    said: /(?:Connection timed out|Operation timed out|Connection timeout|timed out after|Timeout was reached)/i,
    reason: () => 'its host does not answer',
  },
  { said: /Connection refused|Failed to connect|Couldn't connect/i, reason: () => 'its host refuses the connection' },
  { said: /Network is unreachable|No route to host/i, reason: () => 'its host cannot be reached from the workspace' },
  { said: /certificate|SSL|TLS|gnutls/i, reason: () => 'its TLS certificate is not trusted' },
  { said: /No space left on device|Disk quota exceeded/i, reason: () => 'the disk of the workspace is full' },
  { said: /Smudge error|git-lfs|LFS: /i, reason: () => 'a file of its Git LFS could not be fetched' },
  {
    said: /clone of '([^']+)' into submodule path|Failed to clone '([^']+)'|Unable to checkout .* in submodule path '([^']+)'/i,
    reason: ([, url, name, path]) => `its submodule ${url ?? name ?? path} could not be cloned`,
  },
  {
    said: /repository '?[^\n]*'? not found|Repository not found|does not appear to be a git repository|not a git repository|repository not exported|returned error: 404|does not exist/i,
    reason: () => 'there is no such repository, or you may not see it',
  },
  {
    said: /unsupported protocol|Unable to find remote helper for '([^']+)'|transport '([^']+)' not allowed|'remote-[^']*' is not a git command/i,
    reason: () => 'git does not speak the protocol of this URL',
  },
  {
    said: /Remote branch (\S+) not found|Could not find remote branch (\S+)/i,
    reason: ([, a, b]) => `it has no branch ${a ?? b}`,
  },
  {
    said: /Repository lacks these prerequisite commits/i,
    reason: () => 'the upload is incomplete: it builds on commits that are not in it',
  },
  {
    said: /not a (?:v2 or v3 )?bundle|does not look like a v2 or v3 bundle|invalid gitfile format|early EOF|index-pack failed|bad (?:pack|object)|unexpected disconnect|hung up unexpectedly|transfer closed/i,
    reason: () => 'the connection broke off, or what came is damaged',
  },
  { said: /Operation too slow/i, reason: () => 'its host sends nothing any more' },
];

export function cloneFailureReason(output: readonly string[]): string {
  const text = output.join('\n');
  for (const { said, reason } of rules) {
    const match = said.exec(text);
    if (match) return reason(match);
  }
  const last =
    output.findLast((line) => /^(?:fatal|error): /.test(line)) ?? output.findLast((line) => line.trim() !== '');
  return last?.replace(/^(?:fatal|error): /, '').replace(/\.$/, '') ?? 'git did not say why';
}
