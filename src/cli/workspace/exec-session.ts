/** One command inside a workspace: its streams over a WebSocket's frames, its exit code. */
import type { Duplex, Readable, Writable } from 'node:stream';
import type { Client } from '../../contract/api-client.ts';
import { pathOf } from '../../contract/api-client.ts';
import { webSockets } from '../../contract/web-sockets.ts';
import { encodeFrame, errorOf, exitCodeOf, pipeAsFrames, readFrames, writeWithin } from '../../contract/exec-frames.ts';
import { execFrame } from '../../contract/stream-protocol.ts';
import { failure } from '../cli-error.ts';
import type { CliError } from '../cli-error.ts';
import { streamOfSocket } from '../server/socket-stream.ts';

export type TerminalSize = { readonly columns: number; readonly rows: number };

export type ExecOptions = {
  readonly workspaceId: string;
  readonly command: readonly string[];
  /** Absent: the command gets no input. */
  readonly stdin?: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly terminal?: TerminalSize & {
    readonly type: string;
    onResize(listener: (size: TerminalSize) => void): () => void;
  };
  readonly signal: AbortSignal;
};

/**
 * @returns the exit code of the command
 * @throws NexusError of the server, or a CliError when the connection is lost
 */
export async function runExecSession(client: Client, options: ExecOptions): Promise<number> {
  const { terminal, signal } = options;
  const query = {
    command: options.command,
    ...(terminal === undefined ? {} : { tty: 1, columns: terminal.columns, rows: terminal.rows, term: terminal.type }),
  };
  const socket = await client.openWebSocket(pathOf(webSockets.exec, { id: options.workspaceId }), query, { signal });
  const stream = streamOfSocket(socket);
  const stopResizing = terminal?.onResize(
    (size) => void stream.write(encodeFrame(execFrame.resize, JSON.stringify(size))),
  );
  const onAbort = (): void => void stream.write(encodeFrame(execFrame.signal, 'SIGINT'));
  signal.addEventListener('abort', onAbort, { once: true });
  void sendInput(stream, options.stdin);
  try {
    return await receive(stream, options);
  } finally {
    signal.removeEventListener('abort', onAbort);
    stopResizing?.();
    stream.destroy();
  }
}

async function sendInput(stream: Duplex, stdin: Readable | undefined): Promise<void> {
  try {
    if (stdin !== undefined) await pipeAsFrames(stdin, execFrame.stdin, stream);
    await writeWithin(stream, encodeFrame(execFrame.stdinEnd));
  } catch {
    // The command has ended, or the connection is lost: whoever reads the stream sees it.
  }
}

async function receive(stream: Duplex, { stdout, stderr }: ExecOptions): Promise<number> {
  for await (const frame of readFrames(stream, { cutOff: connectionLost })) {
    const { type, payload } = frame;
    if (type === execFrame.stdout) await writeWithin(stdout, payload);
    if (type === execFrame.stderr) await writeWithin(stderr, payload);
    if (type === execFrame.exit) return exitCodeOf(frame);
    if (type === execFrame.error) throw errorOf(frame);
  }
  throw connectionLost();
}

/** The command may go on, or have ended well: its node runs it without the server. */
function connectionLost(): CliError {
  return failure(
    'The connection was lost before the command ended.\nWhether it still runs, or how it ended, is not known.',
    { title: 'Lost touch with the command', next: 'nexus server status' },
  );
}
