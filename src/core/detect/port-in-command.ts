const patterns: readonly RegExp[] = [
  /(?:^|\s)(?:--port|--http-port|--listen|-p|-l)[ =](?:tcp:\/\/)?(?!\d+:)(?:[\w.[\]:-]*:)?(\d{2,5})(?!\S)/,
  /(?:^|\s)-p(\d{2,5})(?!\S)/,
  /(?:^|[\s'"])(?:[A-Z][A-Z0-9]*_)?PORT=['"]?(\d{2,5})\b/,
  /(?:^|\s)(?:\d{1,3}(?:\.\d{1,3}){3}|localhost|\[::\]|\*)?:(\d{2,5})(?!\S)/,
];

/** The patterns take a time that grows with the square of the length. */
const longestCommand = 4_000;

/** The port that a command is told to listen on: `--port 4000`, `-p 4000`, `PORT=4000`, `0.0.0.0:4000`. */
export function portInCommand(command: string): number | undefined {
  return firstPort(patterns, command.slice(0, longestCommand));
}

/** The port in the first match's first group, if it is one. */
export function firstPort(patterns: readonly RegExp[], text: string): number | undefined {
  for (const pattern of patterns) {
    const port = Number(pattern.exec(text)?.[1]);
    if (port >= 1 && port <= 65_535) return port;
  }
  return undefined;
}
