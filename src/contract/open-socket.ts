/** Opening a WebSocket as a client. */
import type { WebSocket } from 'ws';

/** The server answers at once, before it does what is asked for. */
const answerWithinMs = 20_000;

export type SocketOptions = {
  readonly authorization: Readonly<Record<string, string>>;
  readonly signal: AbortSignal | undefined;
  /** The error for a connection that there is not, made of what the socket said. */
  readonly unreachable: (cause: unknown) => Error;
  /** The error in an answer that opens no WebSocket. */
  readonly refused: (answer: Response) => Promise<Error>;
};

/** @throws what `unreachable` or `refused` makes, the reason of `signal` */
export async function openSocket(url: string, options: SocketOptions): Promise<WebSocket> {
  const { authorization, signal, unreachable } = options;
  // Loaded when needed: most commands open no WebSocket.
  const { WebSocket } = await import('ws');
  signal?.throwIfAborted();
  const socket = new WebSocket(url, { headers: authorization, perMessageDeflate: false });
  socket.binaryType = 'nodebuffer';
  const opened = Promise.withResolvers<WebSocket>();
  const giveUp = (error: Error): void => {
    opened.reject(error);
    socket.terminate();
  };
  const abort = (): void => giveUp(signal?.reason as Error);
  const patience = setTimeout(
    () => giveUp(unreachable(new Error(`it did not answer within ${answerWithinMs / 1000} s`))),
    answerWithinMs,
  );
  signal?.addEventListener('abort', abort, { once: true });
  socket.once('open', () => {
    // A message that came with the handshake would be gone before whoever awaits this listens.
    socket.pause();
    setImmediate(() => socket.resume());
    opened.resolve(socket);
  });
  // Stays for the life of the socket: an error without a listener would end the process.
  socket.on('error', (error) => opened.reject(unreachable(error)));
  socket.once('unexpected-response', (_request, response) => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => chunks.push(chunk));
    response.on('end', () => {
      const answer = new Response(Buffer.concat(chunks), {
        status: response.statusCode ?? 500,
        headers: { 'content-type': response.headers['content-type'] ?? '' },
      });
      void options
        .refused(answer)
        .catch((error: Error) => error)
        .then(opened.reject);
    });
  });
  try {
    return await opened.promise;
  } finally {
    clearTimeout(patience);
    signal?.removeEventListener('abort', abort);
  }
}
