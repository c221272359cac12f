/** All that a gateway listens on: the public ports of the routes that it knew last, and the stream port. */
import type { PeerToServer } from '../contract/control-protocol.ts';
import type { Logger } from '../lib/log.ts';
import { limitLog } from '../lib/log-limit.ts';
import { isLoopback } from '../lib/loopback.ts';
import { isProcessAlive } from '../lib/process-alive.ts';
import { createCrowd } from './crowd.ts';
import { forward } from './forward.ts';
import { ParkingLot } from './parking-lot.ts';
import { PublicListeners } from './public-listeners.ts';
import { RouteKeeper } from './route-keeper.ts';
import { createSplice } from './splice.ts';
import { loadGatewayState, loadRoutes, saveGatewayState, type GatewayState } from './state-files.ts';
import { loadStreamCertificate } from './stream-certificate.ts';
import { openStreamPort, type StreamPort, type StreamPortOptions } from './stream-port.ts';

export type OpenPortsOptions = {
  /** Keeps the routes and `gateway.json`. */
  readonly stateDir: string;
  /** Where the public ports listen. */
  readonly host: string;
  /** Other than loopback: streams are encrypted. */
  readonly streamHost: string;
  /** 0: any; after a restart the same one, when it is free. */
  readonly streamPort: number;
  readonly log: Logger;
  /** How often a port that could not be had is tried again; for tests. */
  readonly retryPortsMs?: number;
  /** An SSH client that comes while its workspace starts is held for so long, and let in as soon as sshd is there. */
  readonly startingWithinMs?: number;
};

export type OpenPorts = {
  readonly listeners: PublicListeners;
  readonly routes: RouteKeeper;
  readonly streamPort: StreamPort;
};

/** How long a stream waits for an agent that has no connection parked. */
const parkedWaitMs = 5_000;
/** Clients of one port that are kept while their workspace starts, and that are served through an agent. */
const most = { waiting: 64, throughAgent: 128 };

/** @throws port_already_in_use for a stream port that was asked for */
export async function openPorts(
  options: OpenPortsOptions,
  { machine, send }: { readonly machine: string; readonly send: (message: PeerToServer) => void },
): Promise<OpenPorts> {
  const { stateDir, host, log, retryPortsMs = 5_000, startingWithinMs = 10_000 } = options;
  const before = await loadGatewayState(stateDir, log);
  const sharing = (): 'shared' | 'shareable' =>
    before !== null && before.pid !== process.pid && isProcessAlive(before.pid) ? 'shared' : 'shareable';
  const parkingLot = new ParkingLot({ waitMs: parkedWaitMs });
  const splice = createSplice();
  const context = {
    machine,
    parkingLot,
    splice,
    startingWithinMs,
    waiting: createCrowd(most.waiting),
    throughAgent: createCrowd(most.throughAgent),
    onSshConnected: (workspace_id: string, seconds: number) => send({ type: 'ssh_connected', workspace_id, seconds }),
    log: limitLog(log),
  };
  const listeners = new PublicListeners({
    host,
    sharing,
    forward: (client, currentRoute) => forward(client, currentRoute, context),
    log: limitLog(log),
  });
  const routes = new RouteKeeper({
    stateDir,
    table: await loadRoutes(stateDir, log),
    listeners,
    retryMs: retryPortsMs,
    onApplied: (version, failed) => send({ type: 'routes_applied', version, failed: [...failed] }),
    onKeysChanged: (isUnchanged) => parkingLot.keepOnly(isUnchanged),
    log,
  });
  const streamPort = await openSameStreamPort(before, {
    host: options.streamHost,
    port: options.streamPort,
    sharing: sharing(),
    certificate: isLoopback(options.streamHost) ? null : await loadStreamCertificate(stateDir, log),
    keyOf: (name) => routes.streamKey(name),
    parkingLot,
    splice,
    log,
  });
  await routes.start();
  await saveGatewayState(stateDir, { pid: process.pid, stream_port: streamPort.port });
  return { listeners, routes, streamPort };
}

/**
 * Takes the port of before, where one is free to choose: agents then find the gateway again without the server. While
 * an older gateway still has it, this one takes another, so that nobody opens a stream at the one and parks at the other.
 */
async function openSameStreamPort(before: GatewayState | null, options: StreamPortOptions): Promise<StreamPort> {
  if (options.port !== 0) return openStreamPort(options);
  const anyPort = { ...options, sharing: 'exclusive' } as const;
  if (before === null) return openStreamPort(anyPort);
  return openStreamPort({ ...anyPort, port: before.stream_port }).catch(() => openStreamPort(anyPort));
}
