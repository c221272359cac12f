/** The connections that agents have parked here, until a stream needs one. */
import type { Socket } from 'node:net';

/** More than any agent parks; whoever has a node's key can hold no more than these. */
const maxPerNode = 64;

type Waiter = (socket: Socket) => void;
type Parked = { readonly socket: Socket; unpark(): void };

export class ParkingLot {
  readonly #waitMs: number;
  readonly #parked = new Map<string, Parked[]>();
  readonly #waiters = new Map<
    string,
    Waiter[]
  >(); /** @param options.waitMs how long `take` waits for an agent that has nothing parked */
  constructor(options: { readonly waitMs: number }) {
    this.#waitMs = options.waitMs;
  }

  /** Takes the connection in, or hands it to who waits for one. */
  park(node: string, socket: Socket): void {
    const waiter = this.#waiters.get(node)?.shift();
    if (waiter) return waiter(socket);
    const lot = this.#parked.get(node) ?? [];
    if (lot.length >= maxPerNode) {
      socket.destroy();
      return;
    }
    this.#parked.set(node, lot);
    const parked = { socket, unpark };
    lot.push(parked);

    function onLost(): void {
      unpark();
      socket.destroy();
    }
    function unpark(): void {
      const at = lot.indexOf(parked);
      if (at !== -1) lot.splice(at, 1);
      socket.pause();
      socket.off('data', onLost).off('end', onLost).off('close', onLost);
    }
    // An agent that is not spoken to has nothing to say; reading is how its end is noticed.
    socket.on('data', onLost).on('end', onLost).on('close', onLost);
    socket.resume();
  }

  /** The newest parked connection of the node, or the next that comes in time; null when none does. */
  async take(node: string, options: { readonly signal?: AbortSignal } = {}): Promise<Socket | null> {
    const parked = this.#parked.get(node)?.findLast(({ socket }) => !socket.destroyed);
    if (parked) {
      parked.unpark();
      return parked.socket;
    }
    const { signal } = options;
    if (signal?.aborted) return null;
    const waiters = this.#waiters.get(node) ?? [];
    this.#waiters.set(node, waiters);
    const { promise, resolve } = Promise.withResolvers<Socket | null>();
    const giveUp = (): void => resolve(null);
    const timer = setTimeout(giveUp, this.#waitMs);
    signal?.addEventListener('abort', giveUp);
    waiters.push(resolve);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener('abort', giveUp);
      const at = waiters.indexOf(resolve);
      if (at !== -1) waiters.splice(at, 1);
    }
  }

  /** How many connections of the node are parked. */
  count(node: string): number {
    return this.#parked.get(node)?.length ?? 0;
  }

  /** Closes what nodes have parked that may not any more. */
  keepOnly(isWelcome: (node: string) => boolean): void {
    for (const [node, lot] of this.#parked) {
      if (isWelcome(node)) continue;
      for (const { socket } of lot) socket.destroy();
    }
  }
}
