import assert from 'node:assert/strict';
import { PassThrough, Readable, Writable } from 'node:stream';
import test from 'node:test';
import * as fc from 'fast-check';
import {
  encodeFrame,
  FrameDecoder,
  maxFramePayloadBytes,
  pipeAsFrames,
  readFrames,
  writeFrames,
  writeWithin,
  type ExecFrame,
} from './exec-frames.ts';
import { execFrame, type ExecFrameType } from './stream-protocol.ts';

const types: readonly ExecFrameType[] = Object.values(execFrame);

test('frames come out as they went in, however their bytes are split', () => {
  const payload = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
  const frame = fc.record({ type: fc.constantFrom(...types), payload }, { noNullPrototype: true });
  fc.assert(
    fc.property(
      fc.array(frame, { maxLength: 20 }),
      fc.array(fc.integer({ min: 1, max: 97 }), { minLength: 1 }),
      (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(({ type, payload }) => encodeFrame(type, payload)));
        const decoder = new FrameDecoder();
        const decoded: ExecFrame[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const size = cuts[turn % cuts.length] ?? 1;
          decoded.push(...decoder.push(bytes.subarray(at, at + size)));
          at += size;
        }
        assert.deepEqual(decoded, frames);
        assert.equal(decoder.incomplete, false);
      },
    ),
  );
});

test('any bytes at all are frames, wait for more, or are refused', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 2000 }), (bytes) => {
      try {
        new FrameDecoder().push(Buffer.from(bytes));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'stream_failed');
      }
    }),
  );
});

test('a length over 64 KiB and an unknown type are refused before anything is waited for', () => {
  const long = encodeFrame(execFrame.stdout, 'x');
  long.writeUInt32BE(maxFramePayloadBytes + 1, 1);
  assert.throws(() => new FrameDecoder().push(long), { code: 'stream_failed', message: /65537 bytes is too long/ });
  assert.throws(() => new FrameDecoder().push(Buffer.from([99, 0, 0, 0, 0])), { message: /unknown type 99/ });
  assert.throws(() => encodeFrame(execFrame.stdout, Buffer.alloc(maxFramePayloadBytes + 1)), RangeError);
  assert.equal(encodeFrame(execFrame.stdout, Buffer.alloc(maxFramePayloadBytes)).length, maxFramePayloadBytes + 5);
});

async function collect(source: Readable): Promise<ExecFrame[]> {
  const frames: ExecFrame[] = [];
  for await (const frame of readFrames(source)) frames.push(frame);
  return frames;
}

test('a stream is carried in frames of at most 64 KiB and put together again', async () => {
  const sent = Buffer.alloc(200_000, 'ab');
  const wire = new PassThrough();
  const piping = pipeAsFrames(Readable.from([sent, Buffer.from('end')]), execFrame.stdout, wire).then(async () => {
    await writeFrames(wire, execFrame.stdinEnd);
    await writeFrames(wire, execFrame.exit, '3');
    wire.end();
  });
  const frames = await collect(wire);
  await piping;
  const output = frames.filter(({ type }) => type === execFrame.stdout).map(({ payload }) => payload);
  assert.equal(Buffer.concat(output).toString(), `${sent.toString()}end`);
  assert.ok(output.every(({ length }) => length <= maxFramePayloadBytes));
  assert.deepEqual(
    frames.slice(-2).map(({ type, payload }) => [type, payload.toString()]),
    [
      [execFrame.stdinEnd, ''],
      [execFrame.exit, '3'],
    ],
  );
  assert.equal(wire.destroyed, true);
});

test('a stream that ends within a frame is an error', async () => {
  await assert.rejects(collect(Readable.from([encodeFrame(execFrame.stdout, 'abc').subarray(0, 6)])), {
    code: 'stream_failed',
    message: /within a frame/,
  });
});

test('a sink that is full is waited for, and one that is closed ends the pipe', async () => {
  let release: () => void = () => undefined;
  const written: number[] = [];
  const slow = new Writable({
    highWaterMark: 10,
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.length);
      release = done;
    },
  });
  const first = writeWithin(slow, Buffer.alloc(20));
  let settled = false;
  void first.then(() => (settled = true));
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(settled, false);
  release();
  assert.equal(await first, true);

  const second = writeWithin(slow, Buffer.alloc(20));
  slow.destroy();
  assert.equal(await second, false);
  assert.equal(await writeFrames(slow, execFrame.stdout, 'late'), false);
  let pulled = 0;
  async function* endless(): AsyncGenerator<Buffer> {
    for (;;) {
      pulled += 1;
      yield Buffer.from('x');
    }
  }
  await pipeAsFrames(Readable.from(endless()), execFrame.stdout, slow);
  assert.ok(pulled < 100);

  const failing = new Writable({ highWaterMark: 1, write: (_chunk, _encoding, done) => done(new Error('broken')) });
  failing.on('error', () => undefined);
  assert.equal(await writeWithin(failing, Buffer.alloc(20)), false);
});
