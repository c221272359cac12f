import type { Socket } from 'node:net';

/** Closes so that the peer sees a reset, and does not take the half for the whole. */
export function cutOff(socket: Socket): void {
  try {
    socket.resetAndDestroy();
  } catch {
    // Node.js resets TCP only, not what TLS carries.
    socket.destroy();
  }
}
