/** A command in a workspace whose whole output is one answer. */
import type { Duplex } from 'node:stream';
import { NexusError } from '../../contract/errors.ts';
import { errorOf, exitCodeOf, readFrames, writeFrames } from '../../contract/exec-frames.ts';
import { execFrame } from '../../contract/stream-protocol.ts';

export type ExecResult = { exit_code: number; stdout: string; stderr: string };
type Options = { stdin: string; timeoutMs: number; outputLimitBytes: number; signal: AbortSignal };

/**
 * Takes over an open exec stream; destroying it ends the command.
 * @throws timeout, output_too_large, stream_failed, or the agent's error
 */
export async function runExec(
  stream: Duplex,
  { stdin, timeoutMs, outputLimitBytes, signal }: Options,
): Promise<ExecResult> {
  const timeout = AbortSignal.timeout(timeoutMs);
  const ended = AbortSignal.any([signal, timeout]);
  const stop = (): void => void stream.destroy();
  ended.addEventListener('abort', stop, { once: true });
  try {
    void sendInput(stream, stdin);
    return await collect(stream, outputLimitBytes);
  } catch (error) {
    if (timeout.aborted)
      throw new NexusError('timeout', { what: 'The command', seconds: timeoutMs / 1000 }, { cause: error });
    throw error instanceof NexusError
      ? error
      : new NexusError('stream_failed', { reason: (error as Error).message }, { cause: error });
  } finally {
    ended.removeEventListener('abort', stop);
    stream.destroy();
  }
}

/** A command that does not read its input to the end is none of our business. */
async function sendInput(stream: Duplex, stdin: string): Promise<void> {
  if (stdin !== '' && !(await writeFrames(stream, execFrame.stdin, stdin))) return;
  await writeFrames(stream, execFrame.stdinEnd);
}

async function collect(stream: Duplex, limitBytes: number): Promise<ExecResult> {
  const stdout = outputBuffer('stdout', limitBytes);
  const stderr = outputBuffer('stderr', limitBytes);
  for await (const frame of readFrames(stream)) {
    const { type, payload } = frame;
    if (type === execFrame.stdout) stdout.add(payload);
    else if (type === execFrame.stderr) stderr.add(payload);
    else if (type === execFrame.error) throw errorOf(frame);
    else if (type === execFrame.exit)
      return { exit_code: exitCodeOf(frame), stdout: stdout.text(), stderr: stderr.text() };
  }
  throw new NexusError('stream_failed', { reason: 'the connection ended before the command did' });
}

const firstBytes = 16 * 1024;

/** In one piece that grows: output that comes a byte at a time would take a hundred times its size in many. */
function outputBuffer(stream: string, limitBytes: number): { add(chunk: Buffer): void; text(): string } {
  let bytes = Buffer.allocUnsafe(firstBytes);
  let size = 0;
  return {
    add(chunk) {
      const end = size + chunk.length;
      if (end > limitBytes) throw new NexusError('output_too_large', { stream, limit_bytes: limitBytes });
      if (end > bytes.length) {
        const larger = Buffer.allocUnsafe(Math.max(end, 2 * bytes.length));
        bytes.copy(larger, 0, 0, size);
        bytes = larger;
      }
      chunk.copy(bytes, size);
      size = end;
    },
    text: () => bytes.toString('utf8', 0, size),
  };
}
