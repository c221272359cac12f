/** Text for unit files, by the rules of systemd.syntax(7) and systemd.service(5). */

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n', '\t': '\\t', '\r': '\\r' };

/** One argument of `ExecStart=`: neither quotes, specifiers (`%`) nor variables (`$`) mean anything in it. */
export function quoteArgument(text: string): string {
  return quoteValue(text).replaceAll('$', '$$$$');
}

/** A quoted value (`Environment=`), in which specifiers mean nothing; variables never do there. */
export function quoteValue(text: string): string {
  return `"${text.replaceAll(/[\\"\n\t\r]/g, (char) => escapes[char] ?? char).replaceAll('%', '%%')}"`;
}

/** A path that takes the rest of its line, such as `WorkingDirectory=`. */
export function escapePath(path: string): string {
  return path.replaceAll('%', '%%');
}
