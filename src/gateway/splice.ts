import type { Socket } from 'node:net';
import { keepForSession } from '../contract/stream-client.ts';
import { cutOff } from '../lib/cut-off.ts';

/**
 * Carries the bytes of each socket to the other. The end of one direction is passed on and the other goes on. When one is
 * cut off the other is reset, so that its peer does not take the half for the whole. Resolves when both are closed.
 */
export type Splice = (left: Socket, right: Socket) => Promise<void>;

/** A read of this much met a sender that is ahead of us. One that filled the buffer gains nothing by a rest. */
const bulkBytes = { least: 32 * 1024, most: 480 * 1024 };
const restMs = 0.3;

/** One for the whole process, for a rest is of the whole process. */
export function createSplice(): Splice {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  let restIsDue = false;

  /**
   * Stops the process for a moment, once in a turn of the event loop, so that the kernel gathers more for the next read.
   * A few large reads wake sender and receiver less often than many small ones: it halves the gateway's share of the
   * processor in a transfer that fills it (docs/benchmarks.md). A timer cannot do it, it is too coarse.
   * Keystrokes, and all that comes slower than some 100 MB/s, never get here.
   */
  function restAfterBulk({ length }: Buffer): void {
    if (restIsDue || length < bulkBytes.least || length > bulkBytes.most) return;
    restIsDue = true;
    setImmediate(() => {
      Atomics.wait(cell, 0, 0, restMs);
      restIsDue = false;
    });
  }

  return async (left, right) => {
    const closed = Promise.all([closeOf(left, right), closeOf(right, left)]);
    for (const socket of [left, right]) {
      keepForSession(socket);
      socket.on('data', restAfterBulk);
    }
    left.pipe(right);
    right.pipe(left);
    await closed;
  };
}

/** Resolves when `socket` is closed, and sees to it that `other` does not stay when it was cut off. */
function closeOf(socket: Socket, other: Socket): Promise<void> {
  return new Promise((resolve) => {
    function onClose(): void {
      const inOrder = socket.readableEnded && socket.writableFinished;
      if (!inOrder) cutOff(other);
      resolve();
    }
    if (socket.closed) onClose();
    else socket.once('close', onClose);
  });
}
