/** Lines of JSON at the start of a stream; whatever comes after a line stays in the socket for the next reader. */
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import type { z } from 'zod';
import { NexusError } from './errors.ts';

export const maxLineBytes = 64 * 1024;
const newline = 0x0a;
/** A line may come a byte at a time: so many pieces are put together, as each takes a hundred times its byte. */
const mostPieces = 64;

export type LineOptions = {
  readonly signal?: AbortSignal;
  /** `maxLineBytes` when absent. */
  readonly maxBytes?: number;
};

export function writeLine(stream: Writable, message: unknown): void {
  stream.write(`${JSON.stringify(message)}\n`);
}

/**
 * Reads one line and leaves the socket paused, with surplus bytes put back.
 * @throws stream_failed when the line is not such a message, is too long, or the connection ends; `signal`'s reason when aborted
 */
export async function readMessage<T>(socket: Socket, schema: z.ZodType<T>, options: LineOptions = {}): Promise<T> {
  const line = await readLine(socket, options);
  let message: unknown;
  try {
    message = JSON.parse(line);
  } catch (cause) {
    throw new NexusError('stream_failed', { reason: 'the other side sent what is not JSON' }, { cause });
  }
  const parsed = schema.safeParse(message);
  if (parsed.success) return parsed.data;
  throw new NexusError(
    'stream_failed',
    { reason: 'the other side sent an unexpected message' },
    { cause: parsed.error },
  );
}

/** The line without its newline; see `readMessage`. */
export function readLine(socket: Socket, options: LineOptions = {}): Promise<string> {
  const { signal, maxBytes = maxLineBytes } = options;
  return new Promise((resolve, reject) => {
    let chunks: Buffer[] = [];
    let length = 0;

    function onData(chunk: Buffer): void {
      const end = chunk.indexOf(newline);
      const part = end === -1 ? chunk : chunk.subarray(0, end);
      chunks.push(part);
      length += part.length;
      if (length > maxBytes)
        return fail(new NexusError('stream_failed', { reason: `a line is longer than ${maxBytes / 1024} KiB` }));
      if (chunks.length >= mostPieces) chunks = [Buffer.concat(chunks)];
      if (end === -1) return;
      stop();
      const surplus = chunk.subarray(end + 1);
      if (surplus.length > 0) socket.unshift(surplus);
      resolve(Buffer.concat(chunks).toString('utf8'));
    }
    function onEnd(): void {
      fail(new NexusError('stream_failed', { reason: 'the connection ended' }));
    }
    function onError(cause: Error): void {
      fail(new NexusError('stream_failed', { reason: cause.message }, { cause }));
    }
    function onAbort(): void {
      fail(signal?.reason instanceof Error ? signal.reason : new Error('aborted'));
    }
    function fail(error: Error): void {
      stop();
      reject(error);
    }
    function stop(): void {
      socket.pause();
      socket.off('data', onData).off('end', onEnd).off('close', onEnd).off('error', onError);
      signal?.removeEventListener('abort', onAbort);
    }

    if (signal?.aborted) return onAbort();
    if (socket.destroyed || socket.readableEnded) return onEnd();
    signal?.addEventListener('abort', onAbort);
    socket.on('data', onData).on('end', onEnd).on('close', onEnd).on('error', onError);
    socket.resume();
  });
}
