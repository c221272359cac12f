import type { WebSocket } from 'ws';

type Bounds = { readonly everyMs: number; readonly mostUnanswered: number };

/** The same bounds as those of the written SSH configuration. */
const defaultBounds: Bounds = { everyMs: 15_000, mostUnanswered: 4 };

/**
 * Cuts a connection whose other end is gone without a word, as after a laptop's sleep, which TCP alone would notice
 * after many minutes. What counts is questions without an answer, not time: whoever slept has asked none.
 */
export function keepAlive(
  socket: Pick<WebSocket, 'on' | 'ping' | 'terminate' | 'isPaused' | 'readyState' | 'OPEN'>,
  { everyMs, mostUnanswered }: Bounds = defaultBounds,
): void {
  let unanswered = 0;
  const heard = (): void => {
    unanswered = 0;
  };
  const timer = setInterval(() => {
    // Whoever does not listen hears no answer.
    if (socket.isPaused) heard();
    if (unanswered >= mostUnanswered) return socket.terminate();
    if (socket.readyState !== socket.OPEN) return;
    unanswered += 1;
    socket.ping();
  }, everyMs);
  socket.on('pong', heard);
  socket.on('message', heard);
  socket.on('close', () => clearInterval(timer));
}
