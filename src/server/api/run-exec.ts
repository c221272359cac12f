/** A command in a workspace whose whole output is one answer. */
import type { Duplex } from 'node:stream';
import { NexusError, fromBody } from '../../contract/errors.ts';
import { readFrames, writeFrames } from '../../contract/exec-frames.ts';
import { execFrame } from '../../contract/stream-protocol.ts';
import { errorBody } from '../../contract/workspace.ts';

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
  for await (const { type, payload } of readFrames(stream)) {
    if (type === execFrame.stdout) stdout.add(payload);
    else if (type === execFrame.stderr) stderr.add(payload);
    else if (type === execFrame.error) throw fromBody(errorBody.parse(JSON.parse(payload.toString())));
    else if (type === execFrame.exit)
      return { exit_code: Number(payload.toString()), stdout: stdout.text(), stderr: stderr.text() };
  }
  throw new NexusError('stream_failed', { reason: 'the connection ended before the command did' });
}

function outputBuffer(stream: string, limitBytes: number): { add(chunk: Buffer): void; text(): string } {
  const chunks: Buffer[] = [];
  let size = 0;
  return {
    add(chunk) {
      size += chunk.length;
      if (size > limitBytes) throw new NexusError('output_too_large', { stream, limit_bytes: limitBytes });
      chunks.push(chunk);
    },
    text: () => Buffer.concat(chunks).toString('utf8'),
  };
}
