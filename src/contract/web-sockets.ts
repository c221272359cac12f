import { z } from 'zod';
import { plainText } from './plain-text.ts';
import { command, flag } from './request-fields.ts';

/**
 * WebSocket paths. Binary messages are pieces of a stream of bytes, cut anywhere: of the first the frames of
 * `stream-protocol.ts` (`execFrame`), of the second the raw bytes. A failure comes as one text message, an error body
 * as JSON, before the close.
 */
export const webSockets = {
  /** `?command=…` repeated; `tty=1&columns=&rows=&term=`; `cwd=`. */
  exec: '/workspaces/:id/exec',
  /** A TCP connection to a port inside: `port=22` is `nexus ssh`. Wakes a stopped workspace first. */
  tunnel: '/workspaces/:id/tunnel',
} as const;

export const webSocketQueries = {
  exec: z.strictObject({
    command: z.union([plainText.transform((only) => [only]), command]),
    cwd: plainText.max(4096).optional(),
    tty: flag.optional(),
    columns: z.coerce.number<number | string>().int().min(1).max(10_000).default(80),
    rows: z.coerce.number<number | string>().int().min(1).max(10_000).default(24),
    term: plainText.min(1).max(64).default('xterm-256color'),
  }),
  tunnel: z.strictObject({ port: z.coerce.number<number | string>().int().min(1).max(65_535).default(22) }),
} as const;
