/** The one line that makes a person's own OpenSSH configuration read ours. */

/** Whether our file is included already, before any `Host` or `Match` whose block it would belong to. */
export function hasInclude(text: string, file: string): boolean {
  for (const line of text.split('\n')) {
    const [keyword = '', ...values] = line.trim().split(/[\s=]+/);
    if (/^(?:host|match)$/i.test(keyword)) return false;
    if (/^include$/i.test(keyword) && values.join(' ').replaceAll('"', '') === file) return true;
  }
  return false;
}

/** The text with the line at its top; the rest stays as it is. */
export function withInclude(text: string, file: string): string {
  if (hasInclude(text, file)) return text;
  const line = `Include ${/\s/.test(file) ? `"${file}"` : file}`;
  return text === '' ? `${line}\n` : `${line}\n\n${text}`;
}
