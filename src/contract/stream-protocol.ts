/**
 * Streams: each is a TCP connection of its own. An agent parks connections at the gateway's stream port; to open a
 * stream, an opener (the gateway itself, or the server through the gateway) takes one.
 *
 *   gateway → peer   {"nonce": N}                               a line of JSON each, ended by \n, at most 64 KiB
 *   peer → gateway   {"park": NODE | "open": NODE, "as": WHO, "nonce": M, "mac": HMAC(key of WHO, "peer" …)}
 *   gateway → peer   {"mac": HMAC(key, "gateway" …)}            or {"error": ErrorBody} and the end
 *   opener → agent   StreamRequest                              over the spliced connection
 *   agent → opener   {"ok": true} or {"error": ErrorBody}
 *
 * and then the bytes. Both MACs cover N, M, WHO and what is asked for (stream-mac.ts).
 * `tcp`, `put` and `logs` are raw bytes; `exec` carries frames both ways.
 */
import { z } from 'zod';
import { port, serviceName, workspaceId } from './ids.ts';
import { logPlace } from './log-place.ts';
import { errorBody } from './workspace.ts';
import { hookName } from './service-spec.ts';

const base64 = z.string().max(128);

export const streamGreeting = z.object({ nonce: base64 });
export const streamProof = z.object({
  /** Exactly one of them: the name of the node. */
  park: z.string().optional(),
  open: z.string().optional(),
  /** `server`, or the node's name. */
  as: z.string(),
  nonce: base64,
  mac: base64,
});
export const streamAccepted = z.union([z.object({ mac: base64 }), z.object({ error: errorBody })]);

export const streamRequest = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('tcp'), workspace_id: workspaceId, port }),
  z.object({
    kind: z.literal('exec'),
    workspace_id: workspaceId,
    command: z.array(z.string()).min(1),
    cwd: z.string().optional(),
    env: z.record(z.string(), z.string()).optional(),
    terminal: z.object({ columns: z.int().positive(), rows: z.int().positive(), type: z.string() }).optional(),
  }),
  z.object({
    kind: z.literal('logs'),
    workspace_id: workspaceId,
    /** A service or a hook; absent: all of them, each line with its source before it. */
    source: z.union([serviceName, hookName]).optional(),
    lines: z.int().min(0),
    follow: z.boolean(),
    /** Each line has its place before it (log-place.ts). An older agent does not know of it. */
    places: z.literal(true).optional(),
    /** All lines that came after the one at this place, in the place of the last `lines`. */
    after: logPlace.optional(),
  }),
  /** The repository as a git bundle of exactly `size` bytes; answered by a second `{"ok":true}` line when it is on disk. */
  z.object({ kind: z.literal('put'), workspace_id: workspaceId, size: z.int().nonnegative() }),
]);
export type StreamRequest = z.infer<typeof streamRequest>;

export const streamAnswer = z.union([z.object({ ok: z.literal(true) }), z.object({ error: errorBody })]);

/** Frames of `exec`: type (1 byte), length (4 bytes, big-endian), payload of at most 64 KiB. */
export const execFrame = {
  stdin: 0,
  /** Empty: end of stdin. */
  stdinEnd: 1,
  stdout: 2,
  stderr: 3,
  /** JSON `{ "columns": n, "rows": n }`. */
  resize: 4,
  /** The exit code as a decimal; the last frame. */
  exit: 5,
  /** JSON ErrorBody; the last frame. */
  error: 6,
  /** Name of a signal, e.g. `SIGINT`. */
  signal: 7,
} as const;
export type ExecFrameType = (typeof execFrame)[keyof typeof execFrame];
