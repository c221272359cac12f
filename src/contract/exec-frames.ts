/** The frames of an `exec` stream: type (1 byte), length (4 bytes, big-endian), payload of at most 64 KiB. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fromBody, NexusError } from './errors.ts';
import { errorBody } from './workspace.ts';
import { execFrame, type ExecFrameType } from './stream-protocol.ts';

export type ExecFrame = { readonly type: ExecFrameType; readonly payload: Buffer };

export const maxFramePayloadBytes = 64 * 1024;
const headerBytes = 5;
/** A frame may come a byte at a time: so many pieces are put together, as each takes a hundred times its byte. */
const mostChunks = 1024;
const knownTypes: ReadonlySet<number> = new Set(Object.values(execFrame));

/** @throws RangeError when the payload is longer than a frame takes; `writeFrames` splits it */
export function encodeFrame(type: ExecFrameType, payload: Buffer | string = ''): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  if (body.length > maxFramePayloadBytes)
    throw new RangeError(`a frame takes ${maxFramePayloadBytes} bytes, not ${body.length}`);
  const frame = Buffer.allocUnsafe(headerBytes + body.length);
  frame.writeUInt8(type, 0);
  frame.writeUInt32BE(body.length, 1);
  body.copy(frame, headerBytes);
  return frame;
}

/** Puts frames together from chunks that are split anywhere; a frame is copied once, however small its pieces. */
export class FrameDecoder {
  #chunks: Buffer[] = [];
  #length = 0;
  /** The length at which there is something to do: a header, or a whole frame. */
  #awaited = headerBytes;

  /**
   * The frames that the chunk completes.
   * @throws stream_failed on a frame that is too long or of an unknown type; nothing after it can be understood
   */
  push(chunk: Buffer): ExecFrame[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#chunks.length >= mostChunks) this.#chunks = [Buffer.concat(this.#chunks)];
    if (this.#length < this.#awaited) return [];
    const [only] = this.#chunks;
    const bytes = this.#chunks.length === 1 && only ? only : Buffer.concat(this.#chunks);
    const frames: ExecFrame[] = [];
    let at = 0;
    this.#awaited = headerBytes;
    while (bytes.length - at >= headerBytes) {
      const { type, length } = readHeader(bytes, at);
      const end = at + headerBytes + length;
      if (bytes.length < end) {
        this.#awaited = headerBytes + length;
        break;
      }
      frames.push({ type, payload: bytes.subarray(at + headerBytes, end) });
      at = end;
    }
    this.#chunks = [bytes.subarray(at)];
    this.#length = bytes.length - at;
    return frames;
  }

  /** Whether the bytes so far end in the middle of a frame. */
  get incomplete(): boolean {
    return this.#length > 0;
  }
}

function readHeader(bytes: Buffer, at: number): { type: ExecFrameType; length: number } {
  const type = bytes.readUInt8(at);
  const length = bytes.readUInt32BE(at + 1);
  if (!isFrameType(type)) throw new NexusError('stream_failed', { reason: `a frame is of the unknown type ${type}` });
  if (length > maxFramePayloadBytes)
    throw new NexusError('stream_failed', { reason: `a frame of ${length} bytes is too long` });
  return { type, length };
}

/**
 * The frames of a stream, read no faster than they are taken. Ends with the stream, which is not destroyed.
 * @param options.cutOff the error when it ends in the middle of a frame; stream_failed when absent
 * @throws stream_failed when it is broken
 */
export async function* readFrames(
  source: Readable,
  options: { readonly cutOff?: () => Error } = {},
): AsyncGenerator<ExecFrame, void, undefined> {
  const { cutOff = () => new NexusError('stream_failed', { reason: 'the connection ended within a frame' }) } = options;
  const decoder = new FrameDecoder();
  for await (const chunk of source.iterator({ destroyOnReturn: false })) yield* decoder.push(chunk as Buffer);
  if (decoder.incomplete) throw cutOff();
}

/** What an `exit` frame says. @throws stream_failed when it is no exit code */
export function exitCodeOf({ payload }: ExecFrame): number {
  const text = payload.toString('latin1');
  if (/^-?\d{1,9}$/.test(text)) return Number(text);
  throw new NexusError('stream_failed', { reason: 'the exit code of the command makes no sense' });
}

/** What an `error` frame says, as an exception again; stream_failed when it is not an error. */
export function errorOf({ payload }: ExecFrame): NexusError {
  try {
    return fromBody(errorBody.parse(JSON.parse(payload.toString('utf8'))));
  } catch (cause) {
    return new NexusError(
      'stream_failed',
      { reason: 'the command failed for a reason that makes no sense' },
      { cause },
    );
  }
}

/** Sends all of `source` as frames of one type, no faster than `sink` takes them; ends when either of them does. */
export async function pipeAsFrames(source: Readable, type: ExecFrameType, sink: Writable): Promise<void> {
  for await (const chunk of source) {
    if (!(await writeFrames(sink, type, chunk as Buffer))) return;
  }
}

/**
 * Sends the payload in as many frames as it needs (one when it is empty) and waits until the sink takes more.
 * @returns false when the sink is closed
 */
export async function writeFrames(
  sink: Writable,
  type: ExecFrameType,
  payload: Buffer | string = '',
): Promise<boolean> {
  const body = typeof payload === 'string' ? Buffer.from(payload) : payload;
  let at = 0;
  do {
    const frame = encodeFrame(type, body.subarray(at, at + maxFramePayloadBytes));
    if (!(await writeWithin(sink, frame))) return false;
    at += maxFramePayloadBytes;
  } while (at < body.length);
  return true;
}

/** Writes and, when the sink's buffer is full, waits until it is empty again. @returns false when the sink is closed */
export async function writeWithin(sink: Writable, chunk: Buffer): Promise<boolean> {
  if (sink.destroyed || sink.writableEnded) return false;
  if (sink.write(chunk)) return true;
  const settled = new AbortController();
  try {
    await Promise.race([
      once(sink, 'drain', { signal: settled.signal }),
      once(sink, 'close', { signal: settled.signal }),
    ]);
  } catch {
    return false; // once() rejects when the sink emits an error
  } finally {
    settled.abort();
  }
  return !sink.destroyed;
}

function isFrameType(type: number): type is ExecFrameType {
  return knownTypes.has(type);
}
