import { Readable, Writable } from 'node:stream';
import { WebSocket, type RawData } from 'ws';

/**
 * What comes over one of an exec's websockets, as a stream. The engine marks the end with an empty text message.
 * A slow reader holds the sender back. `ended` settles when everything has arrived, read or not.
 */
export function receivingSide(socket: WebSocket): { stream: Readable; ended: Promise<void> } {
  const arrived = Promise.withResolvers<void>();
  const stream = new Readable({
    highWaterMark: 256 * 1024,
    read() {
      socket.resume();
    },
    destroy(error, done) {
      arrived.resolve();
      socket.terminate();
      done(error);
    },
  });
  const end = (): void => {
    if (!stream.readableEnded && !stream.destroyed) stream.push(null);
    arrived.resolve();
  };
  socket.on('message', (data: RawData, isBinary: boolean) => {
    const bytes = toBuffer(data);
    if (bytes.length === 0 && !isBinary) end();
    else if (bytes.length > 0 && !stream.destroyed && !stream.push(bytes)) socket.pause();
  });
  socket.on('close', end);
  return { stream, ended: arrived.promise };
}

/** The input of an exec. A terminal has no end of input of its own: there it is the character that means it. */
export function sendingSide(socket: WebSocket, { terminal }: { terminal: boolean }): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, done) {
      send(socket, chunk, done);
    },
    final(done) {
      send(socket, terminal ? Buffer.from([endOfTransmission]) : '', done);
    },
  });
}

export function nothing(): Readable {
  return Readable.from([]);
}

const endOfTransmission = 4;

/** Input to a command that has ended is dropped, as a shell's pipe would. */
function send(socket: WebSocket, message: Buffer | string, done: () => void): void {
  if (socket.readyState === WebSocket.OPEN) socket.send(message, { binary: typeof message !== 'string' }, () => done());
  else done();
}

function toBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data;
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
}
