import { connect, type Socket } from 'node:net';

/** Tells a relay the path of the socket that it is to join the port to. */
export const relaySocketVariable = 'NEXUS_RELAY_SOCKET';

/** How soon a relay whose agent was killed ends. */
const lookEveryMs = 1000;

const loopbacks = ['127.0.0.1', '::1'];

/**
 * Joins a TCP port on the loopback of the network namespace that the process is in to a unix socket, which
 * namespaces of the network do not part. It runs in an instance's namespace with the node's own program, so nothing
 * needs to be installed inside. Each direction ends by itself.
 * @returns the exit code, when the connection has ended; 1: nothing listens on the port
 */
export async function runRelay(port: number, socketPath = process.env[relaySocketVariable] ?? ''): Promise<number> {
  const inside = await firstThatAnswers(port);
  if (!inside) return 1;
  inside.setNoDelay(true);
  const outside = connect({ path: socketPath, allowHalfOpen: true });
  outside.pipe(inside);
  inside.pipe(outside);
  const ended = (socket: Socket, other: Socket): Promise<void> =>
    new Promise((resolve) => {
      socket.on('error', () => other.destroy());
      socket.on('close', () => resolve());
    });
  endWithAgent(outside, inside);
  await Promise.all([ended(inside, outside), ended(outside, inside)]);
  return 0;
}

/** The end of the agent's half of the connection and the end of the agent look the same: its child's parent tells. */
function endWithAgent(outside: Socket, inside: Socket): void {
  const agent = process.ppid;
  const look = (): void => {
    if (process.ppid === agent) return;
    outside.destroy();
    inside.destroy();
  };
  outside.once('end', () => {
    look();
    const looking = setInterval(look, lookEveryMs);
    outside.once('close', () => clearInterval(looking));
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
