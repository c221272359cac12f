/**
 * What stands on a terminal in the end, of what was written to it: of its control sequences only those that we use, to
 * go up and to clear all below. Without colours.
 */
export function screenOf(output: string): string[] {
  const lines: string[] = [''];
  let row = 0;
  // oxlint-disable-next-line no-control-regex -- control sequences are what this is about
  for (const [token] of output.matchAll(/\u001B\[[\d;]*[A-Za-z]|\r?\n|[^\u001B\r\n]+|\r/g)) {
    const up = /\[(\d+)A$/.exec(token);
    if (up) row = Math.max(0, row - Number(up[1]));
    else if (token.endsWith('[0J')) lines.splice(row, lines.length, '');
    else if (token.endsWith('\n')) {
      row += 1;
      lines[row] ??= '';
    } else if (!token.startsWith('\u001B') && token !== '\r') lines[row] = `${lines[row] ?? ''}${token}`;
  }
  return lines;
}
