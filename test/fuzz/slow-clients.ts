/** Clients that begin and do not go on. A server must end what they hold. */
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';

export type SlowClients = {
  /** Resolves when the server has ended all connections, or with what it still holds. */
  ended(withinMs: number): Promise<readonly string[]>;
};

const eachKind = 10;
const trickleEveryMs = 2_000;

export async function holdSlowClients(port: number, token: string): Promise<SlowClients> {
  const post = `POST /api/v1/workspaces HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: application/json\r\n`;
  const kinds: Readonly<Record<string, string>> = {
    'nothing at all': '',
    'a head that does not end': 'GET /health HTTP/1.1\r\nX: ',
    'a body that does not end': `${post}Content-Length: 100000\r\n\r\n{`,
    'chunks that do not end': `${post}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`,
    'nothing after an answer': 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n',
    'nothing after a refusal': 'GARBAGE\r\n\r\n',
  };
  const open = new Map<Socket, string>();
  for (const [kind, bytes] of Object.entries(kinds)) {
    for (let count = 0; count < eachKind; count++) {
      // It keeps its own side open, whatever the server does.
      const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
      await once(socket, 'connect');
      socket.on('error', () => undefined).resume();
      for (const end of ['end', 'close'] as const) socket.once(end, () => open.delete(socket));
      open.set(socket, kind);
      socket.write(bytes);
    }
  }
  // A byte now and then, where more is awaited.
  const trickle = setInterval(() => {
    for (const [socket, kind] of open) if (kind.endsWith('not end') && socket.writable) socket.write('x');
  }, trickleEveryMs);
  return {
    async ended(withinMs) {
      const deadline = performance.now() + withinMs;
      while (open.size > 0 && performance.now() < deadline) await delay(200);
      clearInterval(trickle);
      const held = [...open.values()];
      for (const socket of open.keys()) socket.destroy();
      return held;
    },
  };
}
