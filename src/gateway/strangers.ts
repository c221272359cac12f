import type { Socket } from 'node:net';

/** Connections that have not yet proved who they are. Who has a key proves it within milliseconds. */
export type Strangers = {
  /** When there are too many, the one that has taken longest goes. A socket within TLS takes the place of its own. */
  enter(stranger: Socket): void;
  /** It has proved who it is. */
  leave(known: Socket): void;
  sendAway(): void;
};

export function createStrangers(most: number): Strangers {
  // By where they come from: within TLS a socket is another than the one that was accepted.
  const strangers = new Map<string, Socket>();
  return {
    enter(stranger) {
      const from = origin(stranger);
      const [oldest] = strangers;
      if (oldest && strangers.size >= most && !strangers.has(from)) {
        strangers.delete(oldest[0]);
        oldest[1].destroy();
      }
      strangers.set(from, stranger);
      stranger.once('close', () => {
        if (strangers.get(from) === stranger) strangers.delete(from);
      });
    },
    leave: (known) => void strangers.delete(origin(known)),
    sendAway() {
      for (const stranger of strangers.values()) stranger.destroy();
    },
  };
}

function origin({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress}:${remotePort}`;
}
