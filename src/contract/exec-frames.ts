/** The frames of an `exec` stream: type (1 byte), length (4 bytes, big-endian), payload of at most 64 KiB. */
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { NexusError } from './errors.ts';
import { execFrame, type ExecFrameType } from './stream-protocol.ts';

export type ExecFrame = { readonly type: ExecFrameType; readonly payload: Buffer };

export const maxFramePayloadBytes = 64 * 1024;
const headerBytes = 5;
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

/** Puts frames together from chunks that are split anywhere. */
export class FrameDecoder {
  #rest: Buffer = Buffer.alloc(0);

  /**
   * The frames that the chunk completes.
   * @throws stream_failed on a frame that is too long or of an unknown type; nothing after it can be understood
   */
  push(chunk: Buffer): ExecFrame[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const frames: ExecFrame[] = [];
    let at = 0;
    while (bytes.length - at >= headerBytes) {
      const type = bytes.readUInt8(at);
      const length = bytes.readUInt32BE(at + 1);
      if (!isFrameType(type))
        throw new NexusError('stream_failed', { reason: `a frame is of the unknown type ${type}` });
      if (length > maxFramePayloadBytes)
        throw new NexusError('stream_failed', { reason: `a frame of ${length} bytes is too long` });
      const end = at + headerBytes + length;
      if (bytes.length < end) break;
      frames.push({ type, payload: bytes.subarray(at + headerBytes, end) });
      at = end;
    }
    this.#rest = bytes.subarray(at);
    return frames;
  }

  /** Whether the bytes so far end in the middle of a frame. */
  get incomplete(): boolean {
    return this.#rest.length > 0;
  }
}

/**
 * The frames of a stream, read no faster than they are taken. Ends with the stream, which is not destroyed.
 * @throws stream_failed when it is broken or ends in the middle of a frame
 */
export async function* readFrames(source: Readable): AsyncGenerator<ExecFrame, void, undefined> {
  const decoder = new FrameDecoder();
  for await (const chunk of source.iterator({ destroyOnReturn: false })) yield* decoder.push(chunk as Buffer);
  if (decoder.incomplete) throw new NexusError('stream_failed', { reason: 'the connection ended within a frame' });
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
