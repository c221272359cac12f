/** A line to the real engine that a test can cut: a unix socket of its own, joined to the engine's. */
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { likelySocket } from '../../src/agent/providers/lxc/find-socket.ts';

export type EngineLine = {
  /** For `LXD_SOCKET`. */
  readonly socketPath: string;
  /** The engine has died: what is under way breaks off, and nobody listens any more. */
  cut(): Promise<void>;
  /** The engine hangs: it takes connections and requests, and nothing comes back. */
  silence(): void;
  /** All is well again; what hung is cut. */
  restore(): Promise<void>;
  /** Resolves when a request of this method and path begins to be sent from now on. */
  request(pattern: RegExp): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
};

export async function openEngineLine(): Promise<EngineLine> {
  const folder = await mkdtemp(join(tmpdir(), 'nexus-line-'));
  const socketPath = join(folder, 'unix.socket');
  const sockets = new Set<Socket>();
  const waiting = new Set<{ readonly pattern: RegExp; readonly resolve: () => void }>();
  let isSilent = false;
  let server: Server | null = null;

  function keep(socket: Socket): Socket {
    sockets.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
    return socket;
  }
  function notice(chunk: Buffer): void {
    const [line = ''] = chunk.toString('latin1').split('\r\n', 1);
    for (const one of waiting) if (one.pattern.test(line) && waiting.delete(one)) one.resolve();
  }
  function carry(client: Socket): void {
    keep(client);
    // It came while the line was being cut.
    if (!server) return void client.destroy();
    const engine = keep(connect({ path: likelySocket(), allowHalfOpen: true }));
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        if (from === client) notice(chunk);
        if (!isSilent && !to.write(chunk)) {
          from.pause();
          to.once('drain', () => from.resume());
        }
      });
      from.on('end', () => isSilent || to.end());
      from.on('close', () => to.destroy());
    }
  }
  async function listen(): Promise<void> {
    const next = createServer({ allowHalfOpen: true }, carry);
    await new Promise<void>((resolve) => next.listen(socketPath, resolve));
    server = next;
  }
  async function cut(): Promise<void> {
    const ended = server;
    server = null;
    const closed = new Promise<void>((resolve) => (ended ? ended.close(() => resolve()) : resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  }
  await listen();

  return {
    socketPath,
    cut,
    silence() {
      isSilent = true;
    },
    async restore() {
      if (isSilent) await cut();
      isSilent = false;
      if (!server) await listen();
    },
    request: (pattern) => new Promise((resolve) => void waiting.add({ pattern, resolve })),
    async [Symbol.asyncDispose]() {
      await cut();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
