/** A gateway on a real control connection that listens nowhere: it takes routing tables and says what a test wants. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectControl, type ControlClient } from '../../src/contract/control-client.ts';
import type { RoutingTable } from '../../src/contract/control-protocol.ts';
import { loadIdentity } from '../../src/lib/identity.ts';
import { silentLog } from './silent-log.ts';

export type ScriptedGateway = AsyncDisposable & {
  readonly client: ControlClient;
  readonly tables: readonly RoutingTable[];
  /** Resolves with the first table, past or to come, that fits. */
  table(fits: (table: RoutingTable) => boolean): Promise<RoutingTable>;
};

export async function startScriptedGateway(options: {
  readonly url: string;
  readonly joinToken: string;
  readonly streamPort?: number;
  /** Ports that it says another process has. */
  readonly occupied?: Set<number>;
}): Promise<ScriptedGateway> {
  const stateDir = await mkdtemp(join(tmpdir(), 'nexus-gateway-'));
  const tables: RoutingTable[] = [];
  const { occupied = new Set<number>() } = options;
  let waiting: { fits: (table: RoutingTable) => boolean; resolve: (table: RoutingTable) => void }[] = [];
  const welcomed = Promise.withResolvers<void>();
  const client = connectControl({
    url: options.url,
    role: 'gateway',
    name: 'gateway',
    version: '1.0.0',
    machine: 'machine-1',
    stateDir,
    joinToken: options.joinToken,
    identity: await loadIdentity(join(stateDir, 'identity.pem')),
    onWelcome() {
      client.send({ type: 'listening', host: '127.0.0.1', port: options.streamPort ?? 4444 });
      welcomed.resolve();
    },
    onMessage(message) {
      if (message.type !== 'routes') return;
      const { table } = message;
      tables.push(table);
      for (const one of waiting) if (one.fits(table)) one.resolve(table);
      waiting = waiting.filter((one) => !one.fits(table));
      const failed = table.routes.flatMap(({ listen }) => (occupied.has(listen) ? [{ listen, reason: 'in use' }] : []));
      client.send({ type: 'routes_applied', version: table.version, failed });
    },
    onDown: () => undefined,
    heartbeat: () => ({ connections: 0 }),
    log: silentLog,
    intervalMs: 200,
  });
  await welcomed.promise;
  return {
    client,
    tables,
    table(fits) {
      const known = tables.findLast(fits);
      if (known) return Promise.resolve(known);
      return new Promise((resolve) => waiting.push({ fits, resolve }));
    },
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]();
      await rm(stateDir, { recursive: true, force: true });
    },
  };
}
