/**
 * The public ports: one listener for each route. A table that changes leaves what it does not change alone; a port that
 * cannot be had is reported and tried again.
 */
import net from 'node:net';
import type { Route } from '../contract/control-protocol.ts';
import { prepareSocket } from '../contract/stream-client.ts';
import type { Logger } from '../lib/log.ts';
import { listen, type Sharing } from './listen.ts';

export type FailedRoute = { readonly listen: number; readonly reason: string };

export type PublicListenersOptions = {
  readonly host: string;
  /** Asked for each new listener: `shared` while an older gateway of ours is still there. */
  readonly sharing: () => Sharing;
  /** Carries one connection; resolves when it is over. The route's instance may move meanwhile. */
  readonly forward: (client: net.Socket, currentRoute: () => Route) => Promise<void>;
  readonly log: Logger;
};

/** Of one port: whoever opens more keeps out the others of that port, and no one else. */
const maxClients = 2_048;

type PublicListener = { route: Route; readonly server: net.Server; readonly clients: Set<net.Socket> };

export class PublicListeners {
  readonly #options: PublicListenersOptions;
  readonly #open = new Map<number, PublicListener>();

  constructor(options: PublicListenersOptions) {
    this.#options = options;
  }

  /** How many clients are connected. */
  get connections(): number {
    return [...this.#open.values()].reduce((sum, { clients }) => sum + clients.size, 0);
  }

  /**
   * Makes the listeners those of `routes`. A route that is gone loses its connections; one whose instance only moved
   * keeps them. Calls must not overlap.
   * @returns the routes whose ports could not be had
   */
  async apply(routes: readonly Route[]): Promise<FailedRoute[]> {
    const wanted = new Map(routes.map((route) => [route.listen, route]));
    for (const [port, listener] of this.#open) {
      const route = wanted.get(port);
      if (!route || !isSameTarget(route, listener.route)) cutOff(listener);
      if (route) listener.route = route;
      else await this.#close(port, listener);
    }
    const failed: FailedRoute[] = [];
    for (const route of wanted.values()) {
      if (this.#open.has(route.listen)) continue;
      const reason = await this.#listen(route);
      if (reason !== null) failed.push({ listen: route.listen, reason });
    }
    return failed;
  }

  /** Takes no more connections; those that are open go on. Resolves when the last of them has ended. */
  async drain(): Promise<void> {
    await Promise.all([...this.#open].map(([port, listener]) => this.#close(port, listener)));
  }

  /** @returns why it cannot, or null */
  async #listen(route: Route): Promise<string | null> {
    const { host, sharing, log } = this.#options;
    const server = net.createServer({ allowHalfOpen: true, noDelay: true });
    const listener: PublicListener = { route, server, clients: new Set() };
    server.maxConnections = maxClients;
    server.on('connection', (client) => void this.#serve(listener, prepareSocket(client)));
    try {
      await listen(server, { host, port: route.listen }, sharing());
    } catch (error) {
      const reason = reasonOf(error);
      log.debug({ err: error, port: route.listen }, 'a port cannot be listened on');
      return reason;
    }
    server.on('error', (error) => log.error({ err: error, port: route.listen }, 'a listener failed'));
    this.#open.set(route.listen, listener);
    return null;
  }

  async #serve(listener: PublicListener, client: net.Socket): Promise<void> {
    listener.clients.add(client);
    try {
      await this.#options.forward(client, () => listener.route);
    } catch (error) {
      this.#options.log.error({ err: error, port: listener.route.listen }, 'forwarding failed');
      client.destroy();
    } finally {
      listener.clients.delete(client);
    }
  }

  async #close(port: number, listener: PublicListener): Promise<void> {
    await new Promise((resolve) => listener.server.close(resolve));
    this.#open.delete(port);
  }
}

/** Whether connections made for one route are right for the other: the address may change with a restart. */
function isSameTarget(a: Route, b: Route): boolean {
  return a.kind === b.kind && a.workspace_id === b.workspace_id && a.port === b.port;
}

function cutOff(listener: PublicListener): void {
  for (const client of listener.clients) client.destroy();
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'EADDRINUSE') return 'another process has the port';
  return error instanceof Error ? error.message : String(error);
}
