import { connect, type Socket } from 'node:net';

/** First byte of a relay's output: whether it has the connection. What follows belongs to the connection. */
export const relayAnswer = { connected: 1, refused: 0 } as const;

const loopbacks = ['127.0.0.1', '::1'];

/**
 * Joins stdin and stdout to a TCP port on the loopback of the network namespace that the process is in. It runs in
 * an instance's namespace, with the node's own program: nothing needs to be installed inside. Resolves with the
 * exit code when the connection has ended.
 */
export async function runRelay(port: number): Promise<number> {
  const socket = await firstThatAnswers(port);
  if (!socket) {
    process.stdout.write(Buffer.from([relayAnswer.refused]));
    return 1;
  }
  socket.setNoDelay(true);
  process.stdout.write(Buffer.from([relayAnswer.connected]));
  return new Promise((resolve) => {
    process.stdin.pipe(socket);
    socket.pipe(process.stdout, { end: false });
    process.stdout.on('error', () => socket.destroy());
    socket.on('error', () => resolve(1));
    socket.on('close', () => resolve(0));
  });
}

async function firstThatAnswers(port: number): Promise<Socket | null> {
  for (const host of loopbacks) {
    const socket = await open(host, port);
    if (socket) return socket;
  }
  return null;
}

function open(host: string, port: number): Promise<Socket | null> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, allowHalfOpen: true });
    socket.once('connect', () => resolve(socket));
    socket.once('error', () => resolve(null));
  });
}
