import type { WebSocket } from 'ws';

/** Far more than answers to honest pings ever are; a stream's own bytes wait before they get here. */
const maxUnreadBytes = 4 * 2 ** 20;

/** A client that sends pings and never reads has the answers pile up here: its connection is cut. */
export function endPingFloods(socket: WebSocket): void {
  socket.on('ping', () => {
    if (socket.bufferedAmount > maxUnreadBytes) socket.terminate();
  });
}
