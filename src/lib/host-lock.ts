import { connect, createServer, type Server } from 'node:net';

/**
 * Runs a task while no other process of this host runs one under the same name. The lock is an abstract unix
 * socket: the kernel lets go of it when its holder dies, so nothing is ever left behind. Those who wait hold a
 * connection to it, and try again when that closes.
 */
export async function withHostLock<T>(
  name: string,
  task: () => Promise<T>,
  options: { onWait?: (() => void) | undefined; signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const address = `\0nexus-lock-${name}`;
  for (;;) {
    options.signal?.throwIfAborted();
    const lock = await tryListen(address);
    if (lock) {
      try {
        return await task();
      } finally {
        lock.release();
      }
    }
    options.onWait?.();
    await releasedBy(address, options.signal);
  }
}

type Lock = { release(): void };

function tryListen(address: string): Promise<Lock | null> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<{ destroy(): void }>();
    let isReleased = false;
    const server: Server = createServer((socket) => {
      // It came while the lock was being released.
      if (isReleased) return void socket.destroy();
      waiting.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => waiting.delete(socket));
      socket.resume();
    });
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(address, () => {
      resolve({
        release() {
          isReleased = true;
          server.close();
          for (const socket of waiting) socket.destroy();
        },
      });
    });
  });
}

function releasedBy(address: string, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(address);
    const finish = (): void => {
      signal?.removeEventListener('abort', finish);
      socket.destroy();
      resolve();
    };
    signal?.addEventListener('abort', finish);
    if (signal?.aborted) finish();
    socket.on('error', finish);
    socket.on('close', finish);
    socket.resume();
  });
}
