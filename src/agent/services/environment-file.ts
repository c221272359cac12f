/**
 * An environment as text. The first form is understood alike by systemd (`EnvironmentFile=`) and by a shell that reads
 * it in; the second by pam_env(8), which knows no escapes and takes `#` for a comment.
 */

export function environmentFile(env: Readonly<Record<string, string>>): string {
  return entries(env)
    .map(([name, value]) => `${name}="${value.replaceAll(/[\\"$`]/g, '\\$&')}"\n`)
    .join('');
}

/** Without the variables that pam_env could not pass on as they are: login shells have them from the other form. */
export function pamEnvironment(env: Readonly<Record<string, string>>): string {
  return entries(env)
    .filter(([, value]) => !/[\n#"'\\]|^\s|\s$/.test(value))
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

function entries(env: Readonly<Record<string, string>>): [string, string][] {
  return Object.entries(env).toSorted(([a], [b]) => (a < b ? -1 : 1));
}
