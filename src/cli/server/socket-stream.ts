import { Duplex } from 'node:stream';
import type { WebSocket } from 'ws';
import { fromBody, NexusError } from '../../contract/errors.ts';
import { errorBody } from '../../contract/workspace.ts';
import { keepAlive } from './keep-alive.ts';

const mostBufferedBytes = 1024 * 1024;
const drainCheckMs = 2;

/**
 * The bytes of an open WebSocket as a stream, with back-pressure both ways. A text message is the failure of what is
 * behind it: the stream is destroyed with that error. (The stream of the `ws` package is not there on Bun.)
 */
export function streamOfSocket(socket: WebSocket): Duplex {
  keepAlive(socket);
  const stream = new Duplex({
    read: () => socket.resume(),
    write(chunk: Buffer, _encoding, done) {
      if (socket.readyState !== socket.OPEN) {
        done(new NexusError('stream_failed', { reason: 'the connection is closed' }));
        return;
      }
      socket.send(chunk, { binary: true });
      whenDrained(socket, done);
    },
    final(done) {
      done();
      // The other end may still be talking; whoever owns the stream destroys it when it is through.
    },
    destroy(error, done) {
      if (socket.readyState === socket.OPEN) socket.close();
      done(error);
    },
  });
  socket.on('message', (data, isBinary) => {
    if (!isBinary) {
      stream.destroy(errorOfMessage((data as Buffer).toString()));
      return;
    }
    if (!stream.push(data)) socket.pause();
  });
  socket.on('close', () => {
    if (!stream.readableEnded) stream.push(null);
  });
  socket.on('error', (error) =>
    stream.destroy(new NexusError('stream_failed', { reason: error.message }, { cause: error })),
  );
  return stream;
}

function whenDrained(socket: WebSocket, done: () => void): void {
  if (socket.bufferedAmount <= mostBufferedBytes || socket.readyState !== socket.OPEN) done();
  else setTimeout(whenDrained, drainCheckMs, socket, done);
}

function errorOfMessage(text: string): NexusError {
  try {
    const parsed = errorBody.safeParse(JSON.parse(text));
    if (parsed.success) return fromBody(parsed.data);
  } catch {
    // Said below.
  }
  return new NexusError('stream_failed', { reason: `the server said ${text.slice(0, 200)}` });
}
