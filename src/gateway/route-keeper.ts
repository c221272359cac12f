/** Holds the routing table: on disk first, then as listeners; ports that could not be had are tried again. */
import type { RoutingTable } from '../contract/control-protocol.ts';
import type { Logger } from '../lib/log.ts';
import { createMutex } from '../lib/mutex.ts';
import type { FailedRoute, PublicListeners } from './public-listeners.ts';
import { saveRoutes } from './state-files.ts';

export type RouteKeeperOptions = {
  readonly stateDir: string;
  /** The table to start from. */
  readonly table: RoutingTable;
  readonly listeners: PublicListeners;
  readonly retryMs: number;
  /** After each application, and when a port that was tried again could be had. */
  readonly onApplied: (version: number, failed: readonly FailedRoute[]) => void;
  /** The key of a node is another now, or it has none any more. */
  readonly onKeysChanged: (isUnchanged: (node: string) => boolean) => void;
  readonly log: Logger;
};

export class RouteKeeper {
  readonly #options: RouteKeeperOptions;
  readonly #inTurn = createMutex();
  #table: RoutingTable;
  #failed: readonly FailedRoute[] = [];
  #retry: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: RouteKeeperOptions) {
    this.#options = options;
    this.#table = options.table;
  }

  /** The key (base64) of a node, or of `server`. */
  streamKey(name: string): string | undefined {
    return Object.hasOwn(this.#table.stream_keys, name) ? this.#table.stream_keys[name] : undefined;
  }

  /** Listens on the ports of the table. */
  async start(): Promise<void> {
    await this.#inTurn(async () => {
      await this.#apply();
      this.#report();
    });
  }

  /** Replaces the table, whatever its version: the server knows best. */
  async take(table: RoutingTable): Promise<void> {
    const { stateDir, log, onKeysChanged } = this.#options;
    await this.#inTurn(async () => {
      if (this.#stopped) return;
      const before = this.#table.stream_keys;
      this.#table = table;
      onKeysChanged((node) => before[node] === table.stream_keys[node]);
      await saveRoutes(stateDir, table).catch((error: unknown) => {
        log.error({ err: error }, 'the routes could not be stored: they are lost with this process');
      });
      await this.#apply();
      this.#report();
    });
  }

  /** Takes no more tables, and tries no more ports. Resolves when what was under way is done. */
  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#retry);
    await this.#inTurn(() => Promise.resolve());
  }

  async #apply(): Promise<void> {
    clearTimeout(this.#retry);
    if (this.#stopped) return;
    this.#failed = await this.#options.listeners.apply(this.#table.routes);
    if (this.#failed.length > 0)
      this.#retry = setTimeout(() => void this.#inTurn(() => this.#tryAgain()), this.#options.retryMs);
  }

  async #tryAgain(): Promise<void> {
    const before = this.#failed.length;
    await this.#apply();
    if (this.#failed.length < before) this.#report();
  }

  #report(): void {
    const { log, onApplied } = this.#options;
    if (this.#failed.length > 0) log.warn({ failed: this.#failed }, 'some ports cannot be listened on');
    onApplied(this.#table.version, this.#failed);
  }
}
