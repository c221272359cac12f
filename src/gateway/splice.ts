import type { Socket } from 'node:net';
import { keepForSession } from '../contract/stream-client.ts';

/**
 * Carries the bytes of each socket to the other. The end of one direction is passed on and the other goes on. When one is
 * cut off the other is reset, so that its peer does not take the half for the whole. Resolves when both are closed.
 */
export async function splice(left: Socket, right: Socket): Promise<void> {
  keepForSession(left);
  keepForSession(right);
  const closed = Promise.all([closeOf(left, right), closeOf(right, left)]);
  left.pipe(right);
  right.pipe(left);
  await closed;
}

/** Resolves when `socket` is closed, and sees to it that `other` does not stay when it was cut off. */
function closeOf(socket: Socket, other: Socket): Promise<void> {
  return new Promise((resolve) => {
    function onClose(): void {
      const inOrder = socket.readableEnded && socket.writableFinished;
      if (!inOrder) other.resetAndDestroy();
      resolve();
    }
    if (socket.closed) onClose();
    else socket.once('close', onClose);
  });
}
